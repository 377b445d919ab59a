// score: attributes with the likelihood of each record's text.

#include <cmath>

#include "core/str.h"
#include "io/json.h"
#include "ngram.h"
#include "ngram/scorer.h"
#include "text/score_fields.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace lm::ngram_tool {

namespace {

constexpr const char* kNoEnd = "ppl_no_end";
constexpr const char* kTokenNll = "token_nll";

// Code point offsets of byte offsets that mostly ascend.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text) : text_(text) {}
  i64 at(i64 byte) {
    if (byte < byte_) byte_ = count_ = 0;
    count_ += text::count_code_points(text_.substr(usize(byte_), usize(byte - byte_)));
    byte_ = byte;
    return count_;
  }

 private:
  std::string_view text_;
  i64 byte_ = 0;
  i64 count_ = 0;
};

class ScoreMapper final : public io::RecordMapper {
 public:
  ScoreMapper(const cli::Options& options, const ngram::NgramScorer& scorer,
              const text::ScoreFields& fields)
      : scorer_(scorer),
        fields_(fields),
        ids_(options.given("ids-field")),
        per_token_(options.on("per-token")) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    if (std::optional<Fault> fault = fields_.check(json)) return fault;
    text::Score score;
    i64 length = 0;
    std::string_view given;
    if (ids_) {
      id_list_.clear();
      if (std::optional<Fault> fault = json.integers(0, id_limit_, id_list_)) return fault;
      scorer_.cutter().cut_ids(id_list_, cut_);
      length = isize(id_list_);
    } else {
      const Result<std::string_view> text = json.string(0);
      if (!text) return text.fault();
      given = *text;
      if (std::optional<Fault> fault =
              text::tokenizer_fault([&] { scorer_.cutter().cut(given, cut_, per_token_); })) {
        fault->detail = cat("field ", quote(json.path(0)), ": ", fault->detail);
        return fault;
      }
      length = text::count_code_points(given);
      score.bytes = isize(given);
    }
    nats_.clear();
    const ngram::TextScore sum = scorer_.score_cut(cut_, per_token_ ? &nats_ : nullptr);
    if (sum.words > 0) {
      score.value = sum.ppl();
      score.nll_nats = sum.nll_nats;
      score.tokens = sum.words + sum.sentences;
      score.oov = sum.oov;
    }
    io::RecordEdit edit(json);
    fields_.set(edit, score, length);
    edit.set(fields_.index(kNoEnd), text::document_span(length, sum.ppl_words()));
    if (per_token_) edit.set(fields_.index(kTokenNll), token_spans(given));
    edit.write(out);
    return std::nullopt;
  }

  void limit_ids(i64 limit) { id_limit_ = limit; }

 private:
  /// A span for every word, and an empty one for the end of every sentence.
  std::string token_spans(std::string_view given) const {
    std::string out = "[";
    CodePoints points(given);
    std::size_t next = 0;
    i64 word = 0;
    const auto add = [&](i64 begin, i64 end) {
      const i64 first = points.at(begin);
      append(out, out.size() > 1 ? "," : "", "[", first, ",", points.at(end), ",");
      io::append_json_number(out, nats_[next++]);
      out.push_back(']');
    };
    for (const i64 end : cut_.ends) {
      for (; word < end; ++word)
        add(cut_.spans[usize(word)].first, cut_.spans[usize(word)].second);
      const i64 last = cut_.spans[usize(end - 1)].second;
      add(last, last);
    }
    return out + "]";
  }

  const ngram::NgramScorer& scorer_;
  const text::ScoreFields& fields_;
  bool ids_;
  bool per_token_;
  i64 id_limit_ = i64{1} << 31;
  ngram::CutText cut_;
  std::vector<i32> id_list_;
  std::vector<f32> nats_;
};

}  // namespace

void run_score(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (!options.given("model"))
    throw Error(ErrorKind::kUsage, "which model? give -m FILE", "lm-ngram train makes one");
  tool.input();
  ngram::NgramSource source;
  source.path = options.text("model");
  source.tokenizer = options.text("tokenizer");
  source.ids = options.given("ids-field");
  if (options.given("unit")) {
    source.unit =
        options.text("unit") == "doc" ? ngram::SentenceUnit::kDoc : ngram::SentenceUnit::kLine;
  }
  if (options.given("normalise")) source.ccnet = options.text("normalise") == "ccnet";
  const std::unique_ptr<ngram::NgramScorer> scorer = ngram::open_ngram_scorer(tool.ctx(), source);
  const bool per_token = options.on("per-token");
  if (per_token && (source.ids || scorer->cutter().form().ccnet)) {
    throw Error(ErrorKind::kUsage,
                "--per-token needs the words of the text itself, not ids or normalised text");
  }
  tool.set_param("scorer", io::json_string(scorer->digest()));
  const std::string name =
      options.given("name") ? options.text("name") : text::score_name(source.path);
  std::vector<std::string> more = {kNoEnd};
  if (per_token) more.emplace_back(kTokenNll);
  const text::ScoreFields fields(options.text(source.ids ? "ids-field" : "field"), name, "ppl",
                                 more);
  const i64 id_limit = scorer->tokenizer_size();
  tool.records().map(fields.paths(), [&] {
    std::unique_ptr<ScoreMapper> mapper = std::make_unique<ScoreMapper>(options, *scorer, fields);
    if (id_limit > 0) mapper->limit_ids(id_limit);
    return mapper;
  });
}

}  // namespace lm::ngram_tool
