#include "answer/ngram.h"

#include <algorithm>
#include <limits>

#include "answer/request.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "decode/draw.h"
#include "decode/grammar_constraint.h"
#include "decode/sampler.h"
#include "decode/stop.h"
#include "text/tokenizer.h"

namespace lm::answer {

using decode::Constraint;

namespace {

constexpr f64 kLn10 = 2.302585092994045684;
constexpr f32 kNever = -std::numeric_limits<f32>::infinity();
constexpr std::string_view kBlank = "\xE2\x96\x81";  // U+2581

/// What a piece is in a text: the inverse of spell_piece().
std::string unspelt(std::string_view word) {
  std::string out;
  while (!word.empty()) {
    unsigned byte = 0;
    if (word.starts_with(kBlank)) {
      out += ' ';
      word.remove_prefix(kBlank.size());
    } else if (word.size() >= 6 && word.starts_with("<0x") && word[5] == '>' &&
               std::sscanf(std::string(word.substr(3, 2)).c_str(), "%2X", &byte) == 1) {
      out += static_cast<char>(byte);
      word.remove_prefix(6);
    } else {
      out += word.front();
      word.remove_prefix(1);
    }
  }
  return out;
}

/// The sentence that a text leaves open.
std::string_view last_sentence(std::string_view text, bool lines) {
  return lines ? text.substr(text.rfind('\n') + 1) : text;
}

std::unique_ptr<ngram::NgramScorer> open(const Context& ctx, const NgramOptions& options) {
  ngram::NgramSource source;
  source.path = options.path;
  source.tokenizer = options.tokenizer;
  return ngram::open_ngram_scorer(ctx, source);
}

}  // namespace

NgramAnswerer::NgramAnswerer(const Context& ctx, const NgramOptions& options)
    : scorer_(open(ctx, options)),
      model_(scorer_->model()),
      pieces_(scorer_->cutter().form().words == ngram::WordKind::kPieces),
      lines_(scorer_->cutter().form().unit == ngram::SentenceUnit::kLine),
      options_(options.languages),
      key_(xxh3_64(cat(scorer_->digest(), "\n", static_cast<i64>(options_.schema.space), "\n",
                       options_.schema.lenient))) {
  texts_.resize(usize(words()));
  for (i64 id = ngram::kEos + 1; id < words(); ++id) {
    const std::string_view word = model_.word(static_cast<u32>(id));
    texts_[usize(id)] = pieces_ ? unspelt(word) : cat(" ", word);
  }
}

std::optional<Fault> NgramAnswerer::read(std::string_view text, Read& out) const {
  ngram::CutText cut;
  const std::optional<Fault> fault =
      text::tokenizer_fault([&] { scorer_->cutter().cut(last_sentence(text, lines_), cut); });
  if (fault) return Fault{"prompt", fault->detail, -1};
  out.state = model_.begin_sentence();
  for (const std::string_view word : cut.words) {
    const u32 id = model_.find(word);
    out.words.push_back(static_cast<i32>(id));
    model_.score_word(out.state, id, out.state);
  }
  return std::nullopt;
}

void NgramAnswerer::predict(const ngram::State& state, std::vector<f32>& out) const {
  out.assign(usize(words()), kNever);
  parallel_for(words(), 4096, [&](i64 begin, i64 end) {
    ngram::State next;
    for (i64 id = std::max<i64>(begin, ngram::kEos); id < end; ++id) {
      if (id != ngram::kEos && texts_[usize(id)].empty()) continue;
      const f32 log10_p = model_.score_word(state, static_cast<u32>(id), next);
      out[usize(id)] = static_cast<f32>(kLn10 * static_cast<f64>(log10_p));
    }
  });
}

std::vector<f32> NgramAnswerer::distribution(const std::string& prompt) const {
  Read at;
  const std::optional<Fault> fault = read(prompt, at);
  LM_CHECK(!fault, "the prompt has words");
  std::vector<f32> out;
  predict(at.state, out);
  return out;
}

/// Words behind each other as texts, ids of words that begin a reply behind all others.
decode::Languages& NgramAnswerer::languages() {
  if (languages_) return *languages_;
  std::vector<std::string> texts = texts_;
  if (!pieces_) {
    texts.resize(usize(2 * words()));
    for (i64 id = ngram::kEos + 1; id < words(); ++id)
      texts[usize(words() + id)] = texts_[usize(id)].substr(1);
  }
  languages_ = std::make_unique<decode::Languages>(
      std::move(texts), std::vector<i32>{static_cast<i32>(ngram::kEos)}, options_);
  return *languages_;
}

Result<f64> NgramAnswerer::score(const std::string& prompt, const std::string& text) const {
  const ngram::TextCutter& cutter = scorer_->cutter();
  const std::string tail(last_sentence(prompt, lines_));
  const bool joint = pieces_ && !cutter.form().ccnet;
  const std::string whole = joint ? tail + text : text;
  ngram::CutText cut;
  ngram::State state = model_.begin_sentence();
  bool open = false;  // the sentence has words
  f64 nats = 0;
  // Words of one sentence; those that begin before `from` are read only.
  const auto walk = [&](std::string_view sentence, i64 from) {
    cutter.cut(sentence, cut, joint);
    for (std::size_t i = 0; i < cut.words.size(); ++i) {
      const f32 log10_p = model_.score_word(state, model_.find(cut.words[i]), state);
      open = true;
      if (from == 0 || (joint && cut.spans[i].second > from))
        nats += kLn10 * static_cast<f64>(log10_p);
    }
  };
  const std::optional<Fault> fault = text::tokenizer_fault([&] {
    if (!joint) {
      Read before;
      if (!read(prompt, before)) {
        state = before.state;
        open = !before.words.empty();
      }
    }
    i64 from = joint ? isize(tail) : 0;
    for (const std::string_view line :
         lines_ ? split(whole, '\n') : std::vector<std::string_view>{whole}) {
      if (line.data() != whole.data() && open) {
        ngram::State ended;
        nats += kLn10 * static_cast<f64>(model_.score_word(state, ngram::kEos, ended));
        state = model_.begin_sentence();
        open = false;
      }
      walk(line, from);
      from = 0;
    }
  });
  if (fault) return Fault{"prompt", fault->detail, -1};
  return nats;
}

Reply NgramAnswerer::write(const Request& request, const Read& prompt, i64 sample,
                           const Constraint* form, std::optional<Fault>& fault) {
  const decode::SampleParams& params = request.params;
  std::vector<i32> ends = params.stop_ids;
  if (!params.ignore_eos) ends.push_back(static_cast<i32>(ngram::kEos));
  std::shared_ptr<const std::vector<u8>> breakers;
  if (params.dry_multiplier > 0) {
    std::vector<u8> made(usize(2 * words()), 0);
    for (i64 id = 0; id < words(); ++id)
      for (const std::string& text : params.dry_breakers)
        if (texts_[usize(id)].find(text) != std::string::npos)
          made[usize(id)] = made[usize(words() + id)] = 1;
    breakers = std::make_shared<const std::vector<u8>>(std::move(made));
  }
  decode::Sampler sampler(params, ends, breakers);
  std::vector<std::unique_ptr<Constraint>> constraints = decode::text_constraints(params, form);
  const bool doubled = form != nullptr && !pieces_;
  std::vector<i32> tokens = prompt.words;
  ngram::State state = prompt.state;
  std::vector<f32> logits;
  Reply out;
  for (;;) {
    if (out.tokens >= params.max_tokens) {
      out.finish_reason = kLength;
      end_text(constraints, out);
      return out;
    }
    predict(state, logits);
    if (params.ignore_eos) logits[ngram::kEos] = kNever;
    const bool first = out.tokens == 0;
    if (doubled) {
      logits.resize(usize(2 * words()), kNever);
      if (first) {  // an empty reply may still be of the form
        std::swap_ranges(logits.begin() + ngram::kEos + 1, logits.begin() + words(),
                         logits.begin() + words() + ngram::kEos + 1);
      }
    }
    const decode::DrawPoint at{decode::draw_key(seed_of(request), request.id), isize(tokens),
                               sample, decode::DrawStream::kToken};
    const Result<i32> drawn = sampler.draw(logits, {tokens, isize(prompt.words)}, at, constraints,
                                           params.max_tokens - out.tokens);
    if (!drawn) {
      fault = drawn.fault();
      return out;
    }
    const i32 word = static_cast<i32>(*drawn % words());
    out.logprob += static_cast<f64>(logits[usize(*drawn)]);
    ++out.tokens;
    tokens.push_back(word);
    if (std::find(ends.begin(), ends.end(), word) != ends.end()) {
      out.finish_reason = "stop";
      end_text(constraints, out);
      return out;
    }
    const std::string_view text = texts_[usize(word)];
    out.text += first && !pieces_ ? text.substr(1) : text;
    model_.score_word(state, static_cast<u32>(word), state);
    for (const std::unique_ptr<Constraint>& constraint : constraints)
      constraint->accept(*drawn);
    if (end_text(constraints, out)) return out;
  }
}

Response NgramAnswerer::answer(const Request& request) {
  Response out;
  const std::string prompt = plain_prompt(request);
  Read at;
  out.fault = read(prompt, at);
  if (out.fault) return out;
  out.prompt_tokens = isize(at.words);
  for (const std::string& text : request.score) {
    const Result<f64> nats = score(prompt, text);
    if (!nats) {
      out.fault = nats.fault();
      return out;
    }
    out.scores.push_back(*nats);
  }
  if (!request.score.empty()) return out;
  for (const auto& [id, bias] : request.params.logit_bias)
    if (id >= words()) out.fault = Fault{"params", cat("logit_bias names word ", id), -1};
  for (const i32 id : request.params.stop_ids)
    if (id >= words()) out.fault = Fault{"params", cat("stop_ids names word ", id), -1};
  decode::Languages::Matcher matcher;
  std::optional<decode::GrammarConstraint> form;
  if (const std::optional<decode::Language> language = language_of(request.form)) {
    Result<decode::Languages::Matcher> made = languages().get(*language);
    if (!made) {
      out.fault = Fault{"grammar", made.fault().detail, -1};
    } else {
      matcher = std::move(*made);
      form.emplace(matcher);
    }
  }
  for (i64 sample = 0; sample < request.params.n && !out.fault; ++sample) {
    Reply reply = write(request, at, sample, form ? &*form : nullptr, out.fault);
    if (matcher && !out.fault && reply.finish_reason == kLength) {
      const Result<grammar::State> end = matcher->accept_bytes(matcher->start(), reply.text);
      if (!end || !matcher->accepting(*end))
        out.fault = Fault{"budget", cat("no reply of the form fits ", reply.tokens, " words"), -1};
    }
    out.replies.push_back(std::move(reply));
  }
  if (out.fault) out.replies.clear();
  return out;
}

bool NgramAnswerer::step() {
  if (answered_ == isize(waiting_)) return false;
  Waiting& next = waiting_[usize(answered_++)];
  next.response = answer(next.request);
  return true;
}

std::optional<Response> NgramAnswerer::take() {
  if (waiting_.empty() || !waiting_.front().response) return std::nullopt;
  Response out = std::move(*waiting_.front().response);
  waiting_.pop_front();
  --answered_;
  return out;
}

i64 NgramAnswerer::count_tokens(const std::string& text) const {
  ngram::CutText cut;
  text::tokenizer_fault([&] { scorer_->cutter().cut(text, cut); });
  return isize(cut.words);
}

}  // namespace lm::answer
