#include "ngram/scorer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <zlib.h>

#include "core/error.h"
#include "core/str.h"
#include "text/utf8.h"

namespace lm::ngram {

namespace {

void check_sizes(std::span<const std::string_view> texts, std::span<text::Score> scores) {
  LM_CHECK(texts.size() == scores.size(), "one score per text");
}

// To one decimal, ties of the exact binary value to even: what Python's round does.
f64 round_tenth(f64 value) {
  return parse_float(format_fixed(value, 1)).value_or(value);
}

}  // namespace

NgramScorer::NgramScorer(Model model, const std::string& name,
                         std::unique_ptr<text::Tokenizer> tokenizer, const Options& options)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      cutter_(options.form, tokenizer_.get()),
      round_(options.round),
      cuts_([] { return std::make_unique<CutText>(); }) {
  const std::optional<TextForm> trained = parse_form(model_.form(), name);
  if (trained) check_form(*trained, options.form, name);
  digest_ = cat("sha256:", model_.digest(), " ", form_text(options.form));
}

u32 NgramScorer::id_of(std::string_view word) const {
  const u32 id = model_.find(word);
  return id == kBos || id == kEos ? kUnk : id;
}

TextScore NgramScorer::score_cut(const CutText& cut, std::vector<f32>* token_nats) const {
  TextScore sum;
  add_cut(cut, sum, token_nats);
  return sum;
}

TextScore NgramScorer::score_text(std::string_view text, CutText& cut) const {
  const TextForm& form = cutter_.form();
  TextScore sum;
  if (form.unit == SentenceUnit::kDoc && form.words == WordKind::kBlanks && !form.ccnet) {
    constexpr std::size_t kPart = std::size_t{1} << 14;
    std::vector<u32> ids;
    Model::Sentence sentence(model_);
    each_blank_word(text, [&](std::string_view word) {
      ids.push_back(id_of(word));
      if (ids.size() < kPart) return;
      sentence.add(ids);
      ids.clear();
    });
    sentence.add(ids);
    if (sentence.words() > 0) sum += sentence.end();
    return sum;
  }
  while (!text.empty()) {
    std::string_view part = text;
    // Lines are sentences: of a long text some at a time.
    constexpr std::size_t kPart = std::size_t{1} << 20;
    if (form.unit == SentenceUnit::kLine && text.size() > kPart)
      part = text.substr(0, std::min(text.find('\n', kPart), text.size() - 1) + 1);
    text.remove_prefix(part.size());
    cutter_.cut(part, cut);
    add_cut(cut, sum, nullptr);
  }
  return sum;
}

i64 NgramScorer::long_text_times() const {
  const TextForm& form = cutter_.form();
  if (form.unit == SentenceUnit::kLine) return 0;
  if (form.words == WordKind::kPieces) return text::kTokenTimes;
  return form.ccnet ? kCcnetTimes : 0;
}

void NgramScorer::add_cut(const CutText& cut, TextScore& sum, std::vector<f32>* token_nats) const {
  std::vector<u32> ids;
  std::vector<f32> nats;
  i64 begin = 0;
  for (const i64 end : cut.ends) {
    ids.clear();
    for (i64 i = begin; i < end; ++i) {
      ids.push_back(id_of(cut.words[usize(i)]));
    }
    sum += model_.score_sentence(ids);
    if (token_nats != nullptr) {
      ids.push_back(kEos);
      nats.resize(ids.size());
      model_.score(ids, nats);
      for (const f32 log_p : nats)
        token_nats->push_back(0 - log_p);
    }
    begin = end;
  }
}

void NgramScorer::score(std::span<const std::string_view> texts, std::span<text::Score> scores) {
  check_sizes(texts, scores);
  cuts_.with([&](CutText& cut) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      text::Score& score = scores[i] = {};
      TextScore sum;
      score.fault = text::tokenizer_fault([&] { sum = score_text(texts[i], cut); });
      if (score.fault) continue;
      score.bytes = isize(texts[i]);
      score.chars = text::count_code_points(texts[i]);
      if (sum.words == 0) continue;
      score.nll_nats = sum.nll_nats;
      score.tokens = sum.words + sum.sentences;
      score.oov = sum.oov;
      score.value = round_ ? round_tenth(sum.ppl()) : sum.ppl();
    }
  });
}

std::unique_ptr<text::Tokenizer> load_cutter_tokenizer(const std::string& path) {
  text::LoadOptions load;
  load.special = text::SpecialPolicy::kText;
  load.add_specials = false;
  return text::load_tokenizer(path, load);
}

std::unique_ptr<NgramScorer> open_ngram_scorer(const Context& ctx, const NgramSource& source) {
  Model model = Model::load(ctx, source.path);
  const std::optional<TextForm> trained = parse_form(model.form(), source.path);
  NgramScorer::Options options;
  options.round = source.round;
  options.form.unit = source.unit ? *source.unit : trained ? trained->unit : source.default_unit;
  options.form.ccnet = source.ccnet ? *source.ccnet : trained && trained->ccnet;
  std::unique_ptr<text::Tokenizer> tokenizer;
  if (!source.tokenizer.empty()) {
    tokenizer = load_cutter_tokenizer(source.tokenizer);
    options.form.words = WordKind::kPieces;
    options.form.tokenizer = tokenizer->digest();
  } else if (source.ids) {
    options.form.words = WordKind::kIds;
    options.form.ccnet = false;
  }
  return std::make_unique<NgramScorer>(std::move(model), source.path, std::move(tokenizer),
                                       options);
}

f64 zlib_ratio(std::string_view text) {
  // The size of what compress2() makes, which would need as much room as the text.
  z_stream stream{};
  if (deflateInit(&stream, 6) != Z_OK) throw std::bad_alloc();
  std::array<Bytef, std::size_t{1} << 16> out;
  i64 size = 0;
  std::string_view rest = text;
  int rc = Z_OK;
  while (rc != Z_STREAM_END) {
    if (stream.avail_in == 0 && !rest.empty()) {
      const std::size_t part = std::min(rest.size(), std::size_t{1} << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
      stream.avail_in = static_cast<uInt>(part);
      rest.remove_prefix(part);
    }
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    rc = deflate(&stream, rest.empty() ? Z_FINISH : Z_NO_FLUSH);
    size += isize(out) - stream.avail_out;
  }
  deflateEnd(&stream);
  return static_cast<f64>(size) / static_cast<f64>(text.size());
}

ZlibScorer::ZlibScorer(i64 min_bytes)
    : min_bytes_(std::max<i64>(min_bytes, 1)), digest_(cat("zlib level=6 min_bytes=", min_bytes)) {}

void ZlibScorer::score(std::span<const std::string_view> texts, std::span<text::Score> scores) {
  check_sizes(texts, scores);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    scores[i] = {};
    scores[i].bytes = isize(texts[i]);
    if (scores[i].bytes >= min_bytes_) scores[i].value = zlib_ratio(texts[i]);
  }
}

ContrastScorer::ContrastScorer(std::unique_ptr<text::Scorer> good,
                               std::unique_ptr<text::Scorer> bad)
    : good_(std::move(good)),
      bad_(std::move(bad)),
      digest_(cat("good ", good_->digest(), ", bad ", bad_->digest())) {}

void ContrastScorer::score(std::span<const std::string_view> texts, std::span<text::Score> scores) {
  check_sizes(texts, scores);
  good_->score(texts, scores);
  std::vector<text::Score> bad(texts.size());
  bad_->score(texts, bad);
  contrast(scores, bad);
}

void ContrastScorer::score_after(std::span<const std::string_view> prompts,
                                 std::span<const std::string_view> texts,
                                 std::span<text::Score> scores) {
  check_sizes(texts, scores);
  good_->score_after(prompts, texts, scores);
  std::vector<text::Score> bad(texts.size());
  bad_->score_after(prompts, texts, bad);
  contrast(scores, bad);
}

void ContrastScorer::contrast(std::span<text::Score> good, std::span<const text::Score> bad) {
  for (std::size_t i = 0; i < good.size(); ++i) {
    text::Score& score = good[i];
    if (!score.fault) score.fault = bad[i].fault;
    // NaN where either could not score.
    score.value = bad[i].nll_nats / static_cast<f64>(bad[i].tokens) -
                  score.nll_nats / static_cast<f64>(score.tokens);
  }
}

}  // namespace lm::ngram
