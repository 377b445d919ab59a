// lm-embed langrank: how near languages lie to a pivot language in a model.

#include <algorithm>
#include <cmath>
#include <deque>
#include <filesystem>
#include <limits>
#include <map>

#include "core/str.h"
#include "embed.h"
#include "embed/parallel_texts.h"
#include "io/held.h"
#include "io/json.h"
#include "ranked.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::embed_tool {
namespace {

enum Field : i64 { kId, kText, kLang };

constexpr i64 kLeastTokens = 2;  // shorter sentences have no last token's state worth the name
constexpr f64 kUndefined = std::numeric_limits<f64>::quiet_NaN();

/// "keep", "strip": no punctuation and white space at the end; "unify": a full stop there.
std::string with_end(std::string text, const std::string& how) {
  if (how == "keep") return text;
  std::size_t end = 0;
  for (i64 at = 0; at < isize(text);) {
    const text::Decoded d = text::decode_at(text, at);
    at += d.size;
    if (!text::is_punctuation(d.cp) && !text::is_white_space(d.cp)) end = usize(at);
  }
  text.resize(end);
  if (how == "unify" && !text.empty()) text += '.';
  return text;
}

/// "eng" of "data/eng.jsonl.zst".
std::string lang_of_file(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.substr(0, name.find('.'));
}

class Reader {
 public:
  Reader(cli::Tool& tool, embed::ParallelTexts& texts)
      : tool_(tool),
        texts_(texts),
        json_({tool.options().text("id-field"), tool.options().text("field"),
               tool.options().text("lang-field")}) {}

  void run() {
    tool_.records_only().run({{StageMode::kSerial, [this](io::Batch& batch) {
                                 tool_.records_only().each_record(
                                     batch, json_, [this](io::Record& r) { return take(r); });
                               }}});
  }

 private:
  std::optional<Fault> take(io::Record& record) {
    io::JsonReader& json = record.json;
    const Result<std::string_view> text = json.string(kText);
    if (!text) return text.fault();
    std::string lang;
    if (json.has(kLang)) {
      const Result<std::string_view> name = json.string(kLang);
      if (!name) return name.fault();
      lang = *name;
    } else {
      const std::vector<std::string>& files = tool_.files();
      if (files.empty() || files[usize(record.input)] == "-")
        return Fault{"missing",
                     cat("field ", quote(json.path(kLang)),
                         " is missing, and standard input has no name to take a language from"),
                     -1};
      lang = lang_of_file(files[usize(record.input)]);
      if (!json.has(kId)) return texts_.add(lang, cat("#", record.line_number), *text);
    }
    if (!json.has(kId))
      return Fault{"missing", cat("field ", quote(json.path(kId)), " is missing"), -1};
    const Result<std::string> id = io::record_id(json, kId, record.ordinal);
    if (!id) return id.fault();
    return texts_.add(lang, *id, *text);
  }

  cli::Tool& tool_;
  embed::ParallelTexts& texts_;
  io::JsonReader json_;
};

class Ranker {
 public:
  Ranker(cli::Tool& tool, OpenedEmbedder& opened, const embed::ParallelTexts& texts)
      : tool_(tool),
        options_(tool.options()),
        opened_(opened),
        embedder_(*opened.embedder),
        texts_(texts),
        pivot_name_(options_.text("pivot")),
        pivot_({isize(embedder_.layers()), embedder_.width(), opened.pools.size() > 1},
               *tool.ctx().memory) {}

  std::vector<Ranked> run() {
    const std::vector<std::string> languages = texts_.languages();
    if (languages.empty()) return {};
    if (std::find(languages.begin(), languages.end(), pivot_name_) == languages.end())
      throw Error(ErrorKind::kData,
                  cat("no sentence of the pivot language ", quote(pivot_name_), "; there are ",
                      join(languages, ", ")),
                  "--pivot LANG names another");
    Skipped skipped;
    embed_all(pivot_name_, skipped, [this](i64 pair, std::span<const f32> vectors) {
      pivot_.add(pair, vectors);
      return true;
    });
    std::vector<Ranked> out;
    for (const std::string& lang : languages) {
      if (lang == pivot_name_) continue;
      if (tool_.ctx().stop->requested()) break;
      out.push_back(rank(lang));
    }
    long_.report(tool_, opened_.model);
    tool_.add_metric(
        "pivot", cat("{\"lang\":", io::json_string(pivot_name_), ",\"sentences\":", pivot_.count(),
                     ",\"short\":", skipped.short_text, ",\"refused\":", skipped.refused, "}"));
    return out;
  }

 private:
  template <typename Take>
  void embed_all(const std::string& lang, Skipped& skipped, Take take) {
    const std::string& end = options_.text("final-punct");
    const i64 most = options_.integer("pairs");
    const i64 ahead = 4 * options_.integer("batch");
    std::deque<i64> waiting;
    const auto drain = [&] {
      while (std::optional<std::vector<f32>> vectors = embedder_.take()) {
        if (!take(waiting.front(), *vectors)) ++skipped.unpaired;
        waiting.pop_front();
      }
    };
    for (const embed::ParallelTexts::Sentence& sentence : texts_.sentences(lang)) {
      if (most > 0 && sentence.pair >= most) continue;
      const Result<embed::PreparedText> made =
          embedder_.prepare(with_end(texts_.text(sentence), end));
      if (!made && made.fault().code != "empty") {
        ++skipped.refused;
      } else if (!made || made->tokens < kLeastTokens) {
        ++skipped.short_text;
      } else if (lang != pivot_name_ && pivot_.find(sentence.pair).empty()) {
        ++skipped.unpaired;
      } else {
        long_.note(*made);
        waiting.push_back(sentence.pair);
        embedder_.add(*made);
        while (embedder_.pending() > ahead && embedder_.step())
          drain();
      }
    }
    while (embedder_.step())
      drain();
    drain();
  }

  Ranked rank(const std::string& lang) {
    Ranked out;
    out.lang = lang;
    embed::LanguageScorer scorer(pivot_, options_.integer("mexa-pairs"));
    embed_all(lang, out.skipped,
              [&](i64 pair, std::span<const f32> vectors) { return scorer.add(pair, vectors); });
    out.pairs = scorer.pairs();
    out.mexa_pairs = scorer.mexa_pairs();
    out.layers = scorer.scores();
    const f64 n = static_cast<f64>(out.layers.size());
    const bool most = options_.text("mexa-layers") == "max";
    for (const embed::LayerScore& one : out.layers) {
      out.all.cos += one.cos / n;
      out.all.corrected += one.corrected / n;
      out.all.anisotropy += one.anisotropy / n;
      out.all.mexa = most ? std::max(out.all.mexa, one.mexa) : out.all.mexa + one.mexa / n;
    }
    if (out.pairs == 0) out.all.mexa = kUndefined;
    return out;
  }

  cli::Tool& tool_;
  const cli::Options& options_;
  OpenedEmbedder& opened_;
  embed::TextEmbedder& embedder_;
  const embed::ParallelTexts& texts_;
  std::string pivot_name_;
  embed::PivotVectors pivot_;
  LongTextCount long_;
};

void write(cli::Tool& tool, const std::string& lines) {
  io::StreamTotals totals;
  for (std::string_view rest = lines; !rest.empty();) {
    const std::size_t lf = rest.find('\n');
    totals.add_line(rest.substr(0, lf));
    rest.remove_prefix(lf + 1);
  }
  tool.output().write(lines, totals);
  tool.counters().records_out += totals.records;
}

}  // namespace

void run_langrank(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const Metrics metrics = metrics_of(options);
  const std::map<std::string, f64> shares =
      options.given("share") ? read_shares(options.text("share")) : std::map<std::string, f64>{};
  tool.input();
  OpenedEmbedder opened =
      open_embedder(tool, options.text("layers"), {options.text("pool"), options.text("mexa-pool")},
                    {embed::Pooling::kLast, embed::Pooling::kWeighted});
  tool.output();
  embed::ParallelTexts texts(tool.ctx());
  Reader(tool, texts).run();
  std::vector<Ranked> languages = Ranker(tool, opened, texts).run();
  for (Ranked& one : languages) {
    const std::map<std::string, f64>::const_iterator at = shares.find(one.lang);
    if (at != shares.end()) one.share = at->second;
  }
  const std::string& by = options.text("rank-by");
  std::stable_sort(languages.begin(), languages.end(), [&by](const Ranked& a, const Ranked& b) {
    const f64 x = score_of(a.all, by);
    const f64 y = score_of(b.all, by);
    return !std::isnan(x) && (std::isnan(y) || x > y);
  });
  std::string lines;
  i64 rank = 0;
  for (const Ranked& one : languages)
    lines += line_of(one, ++rank, opened.embedder->layers(), metrics);
  write(tool, lines);
  if (shares.empty()) return;
  std::string all = "{";
  std::string summary;
  for (const char* name : {"cos", "corrected", "mexa"})
    if (name == std::string_view("mexa") ? metrics.mexa : metrics.cos)
      append(all, all.size() > 1 ? "," : "", "\"", name,
             "\":", correlation(languages, name, summary));
  tool.add_metric("share_correlation", all + "}");
  if (!summary.empty())
    tool.set_summary(cat(languages.size(), " languages; Spearman with log10 share: ", summary));
}

}  // namespace lm::embed_tool
