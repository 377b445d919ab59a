// train: records to counts to a model.

#include <algorithm>

#include "core/str.h"
#include "io/json.h"
#include "ngram.h"
#include "ngram/count.h"
#include "ngram/estimate.h"
#include "text/tokenizer.h"

namespace lm::ngram_tool {

namespace {

using Block = std::shared_ptr<ngram::NgramCounter::Block>;

std::vector<i64> parse_thresholds(const std::string& text) {
  std::vector<i64> out;
  if (text.empty()) return out;
  for (const std::string_view part : split(text, ',')) {
    const std::optional<i64> value = parse_count(part);
    if (!value) throw Error(ErrorKind::kUsage, cat("--prune: ", quote(part), " is not a count"));
    out.push_back(*value);
  }
  return out;
}

std::array<f64, 3> parse_discounts(const std::string& text) {
  std::array<f64, 3> out{};
  const std::vector<std::string_view> parts = split(text, ',');
  if (parts.size() != 3)
    throw Error(ErrorKind::kUsage, cat("--discount-fallback: ", quote(text), " is not D1,D2,D3"));
  for (std::size_t i = 0; i < 3; ++i) {
    const std::optional<f64> value = parse_float(parts[i]);
    if (!value)
      throw Error(ErrorKind::kUsage,
                  cat("--discount-fallback: ", quote(parts[i]), " is not a number"));
    out[i] = *value;
  }
  return out;
}

std::vector<std::string> read_words(const std::string& path) {
  const io::Mapping file(path);
  std::vector<std::string> out;
  std::string word;
  for (const char c : file.bytes()) {
    if (!ngram::is_blank(c)) {
      word.push_back(c);
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  if (out.empty()) throw Error(ErrorKind::kData, cat(path, ": the vocabulary limit has no word"));
  return out;
}

ngram::EstimateOptions estimate_options(const cli::Options& options) {
  ngram::EstimateOptions out;
  out.order = static_cast<int>(options.integer("order"));
  out.prune = parse_thresholds(options.text("prune"));
  if (options.given("discount-fallback"))
    out.discount_fallback = parse_discounts(options.text("discount-fallback"));
  out.interpolate_unigrams = options.on("interpolate-unigrams");
  out.compat_kenlm = options.text("compat") == "kenlm";
  if (options.given("vocab-limit")) out.vocab_limit = read_words(options.text("vocab-limit"));
  ngram::check_options(out);
  return out;
}

struct Worker {
  explicit Worker(const std::string& path) : json({path}) {}
  io::JsonReader json;
  ngram::CutText cut;
  std::vector<i32> ids;
};

bool is_reserved(std::string_view word) {
  return word == "<s>" || word == "</s>" || word == "<unk>";
}

class TrainRun {
 public:
  TrainRun(cli::Tool& tool, const ngram::TextCutter& cutter, i64 id_limit,
           ngram::NgramCounter& counter)
      : tool_(tool),
        cutter_(cutter),
        counter_(counter),
        ids_(tool.options().given("ids-field")),
        skip_symbols_(tool.options().on("skip-symbols")),
        id_limit_(id_limit),
        workers_([path = tool.options().text(ids_ ? "ids-field" : "field")] {
          return std::make_unique<Worker>(path);
        }) {}

  void run() {
    tool_.records_only().run({{StageMode::kParallel, [this](io::Batch& b) { cut(b); }},
                              {StageMode::kSerial, [this](io::Batch& b) { count(b); }}});
  }

 private:
  void cut(io::Batch& batch) {
    std::string lines;
    workers_.with([&](Worker& w) {
      tool_.records_only().each_record(batch, w.json, [&](io::Record&) { return take(w, lines); });
    });
    batch.user = counter_.cut_block(std::move(lines));
  }

  void count(io::Batch& batch) { counter_.take_block(*std::any_cast<Block&>(batch.user)); }

  std::optional<Fault> take(Worker& w, std::string& lines) const {
    if (ids_) {
      w.ids.clear();
      if (std::optional<Fault> fault = w.json.integers(0, id_limit_, w.ids)) return fault;
      cutter_.cut_ids(w.ids, w.cut);
    } else {
      const Result<std::string_view> text = w.json.string(0);
      if (!text) return text.fault();
      if (std::optional<Fault> fault = text::tokenizer_fault([&] { cutter_.cut(*text, w.cut); })) {
        fault->detail = cat("field ", quote(w.json.path(0)), ": ", fault->detail);
        return fault;
      }
    }
    if (!skip_symbols_) {
      const auto symbol = std::find_if(w.cut.words.begin(), w.cut.words.end(), is_reserved);
      if (symbol != w.cut.words.end()) {
        return Fault{"symbol",
                     cat("field ", quote(w.json.path(0)), " contains the word ", quote(*symbol),
                         ", which every model reserves (--skip-symbols leaves such words out)"),
                     w.json.field(0).begin};
      }
    }
    i64 at = 0;
    for (const i64 end : w.cut.ends) {
      const std::size_t before = lines.size();
      for (; at < end; ++at) {
        const std::string_view word = w.cut.words[usize(at)];
        if (is_reserved(word)) continue;
        if (lines.size() > before) lines.push_back(' ');
        lines.append(word);
      }
      if (lines.size() > before) lines.push_back('\n');
    }
    return std::nullopt;
  }

  cli::Tool& tool_;
  const ngram::TextCutter& cutter_;
  ngram::NgramCounter& counter_;
  bool ids_;
  bool skip_symbols_;
  i64 id_limit_;
  io::WorkerPool<Worker> workers_;
};

void report(cli::Tool& tool, const ngram::NgramCounter& counter,
            const ngram::EstimateReport& estimated) {
  tool.add_metric("sentences", cat(counter.sentences()));
  tool.add_metric("words", cat(counter.words()));
  std::string orders = "[";
  for (std::size_t n = 0; n < estimated.stats.size(); ++n) {
    append(orders, n > 0 ? "," : "", "{\"grams\":", estimated.stats[n].grams,
           ",\"kept\":", estimated.stats[n].kept, ",\"discounts\":[");
    for (int k = 1; k <= 3; ++k)
      append(orders, k > 1 ? "," : "", estimated.discounts[n][usize(k)]);
    const std::vector<int>& fallback = estimated.fallback_orders;
    const bool taken =
        std::find(fallback.begin(), fallback.end(), static_cast<int>(n) + 1) != fallback.end();
    append(orders, "],\"fallback\":", taken, "}");
  }
  tool.add_metric("orders", orders + "]");
  tool.add_metric("spilled_bytes", cat(estimated.spilled_bytes + counter.spilled_bytes()));
}

}  // namespace

void run_train(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const ngram::EstimateOptions how = estimate_options(options);
  const bool image = wants_image(options);
  tool.input();
  const AskedForm asked = asked_form(options);
  ModelOutput out(tool);
  const ngram::TextCutter cutter(asked.form, asked.tokenizer.get());
  // Before the counter, which shares out what is left of the budget.
  const std::unique_ptr<ngram::ModelSink> sink =
      image ? out.image_sink(tool.ctx(), ngram::form_text(asked.form)) : out.arpa_sink();
  ngram::NgramCounter counter(tool.ctx(), {how.order, false});
  const i64 id_limit = asked.tokenizer ? asked.tokenizer->vocab_size() : i64{1} << 31;
  TrainRun(tool, cutter, id_limit, counter).run();
  report(tool, counter, ngram::estimate(tool.ctx(), how, counter, *sink));
  out.complete();
}

}  // namespace lm::ngram_tool
