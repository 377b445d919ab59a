#include "transform/noise.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/error.h"
#include "core/str.h"
#include "text/charsmap.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "transform/noise_pass.h"

namespace lm::transform {

namespace {

struct Operator {
  std::string_view name;
  f64 rate;
};

// In the order of NoiseOp.
constexpr std::array<Operator, 16> kOperators = {{{"typo", 0.2},
                                                  {"keyboard", 0.2},
                                                  {"ocr", 0.2},
                                                  {"case", 0.2},
                                                  {"space", 0.1},
                                                  {"ent_typo", 1},
                                                  {"spelling", 0.3},
                                                  {"synonym", 0.2},
                                                  {"swap", 0.1},
                                                  {"drop", 0.2},
                                                  {"insert", 0.1},
                                                  {"speech", 1},
                                                  {"append_irr", 1},
                                                  {"simplify", 1},
                                                  {"verbose", 0.5},
                                                  {"paraphrase", 0}}};

constexpr std::size_t kSteps = kOperators.size() - 1;  // all but the last, which needs a model

constexpr std::array<std::string_view, 8> kFillers = {"well", "please", "actually", "just",
                                                      "so",   "okay",   "right",    "maybe"};

void synonym(NoisePass& pass, f64 rate, const std::function<std::string(std::string_view)>& find) {
  while (!pass.at_end()) {
    const Word& word = pass.word(pass.at());
    if (!find || !is_outside(word) || pass.row(pass.at()).uniform() >= pass.rate(rate)) {
      pass.keep();
      continue;
    }
    const std::string other = find(text::to_lower(word.text));
    if (other.empty())
      pass.keep();
    else
      pass.replace(1, words_of_phrase(capitalised_as(word.text, other)));
  }
}

void swap_words(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    const i64 at = pass.at();
    const bool can = at + 1 < pass.size() && pass.outside(at) && pass.outside(at + 1);
    if (can && pass.row(at).uniform() < pass.rate(rate))
      pass.replace(2, {pass.word(at + 1).text, pass.word(at).text});
    else
      pass.keep();
  }
}

void drop_words(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    const i64 at = pass.at();
    const bool can = pass.outside(at) && is_function_word(pass.word(at).text) &&
                     (pass.made() > 0 || at + 1 < pass.size());
    if (can && pass.row(at).uniform() < pass.rate(rate))
      pass.replace(1, {});
    else
      pass.keep();
  }
}

void insert_words(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    DrawRow row = pass.row(pass.at());
    if (!goes_on(pass.word(pass.at())) && row.uniform() < pass.rate(rate))
      pass.insert({std::string(kFillers[usize(row.below(isize(kFillers)))])});
    pass.keep();
  }
}

}  // namespace

std::string_view noise_name(NoiseOp op) {
  return kOperators[static_cast<std::size_t>(op)].name;
}

std::string noise_names() {
  std::string out;
  for (const Operator& op : std::span(kOperators).first(kSteps))
    append(out, out.empty() ? "" : ", ", op.name);
  return out;
}

std::optional<std::vector<NoiseStep>> parse_noise(std::string_view text) {
  std::vector<NoiseStep> out;
  for (const std::string_view item : split(text, '+')) {
    const std::size_t colon = item.find(':');
    const std::string_view name = item.substr(0, colon);
    const auto* const end = kOperators.begin() + kSteps;
    const auto* const op =
        std::find_if(kOperators.begin(), end, [&](const Operator& o) { return o.name == name; });
    if (op == end) return std::nullopt;
    NoiseStep step{static_cast<NoiseOp>(op - kOperators.begin()), op->rate};
    if (colon != std::string_view::npos) {
      const std::optional<f64> rate = parse_float(item.substr(colon + 1));
      if (!rate || !(*rate >= 0 && *rate <= 1)) return std::nullopt;
      step.rate = *rate;
    }
    out.push_back(step);
  }
  return out;
}

void NoisePass::replace(i64 count, const std::vector<std::string>& texts) {
  NoiseEdit edit{op_, made(), {}, {}};
  for (i64 i = at_; i < at_ + count; ++i)
    edit.from.push_back(word(i).text);
  edit.to = texts;
  if (edit.from != edit.to) log_.push_back(std::move(edit));
  const std::string label = count > 0 ? word(at_).label : "O";
  const bool inside = !label.empty() && label != "O";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Word made_word{texts[i], i == 0 || !inside ? label : "I-" + label.substr(2), " "};
    if (i < usize(count)) made_word.gap = word(at_ + static_cast<i64>(i)).gap;
    // What comes first has the white space that the first word had.
    if (out_.empty() && count == 0 && at_ < size()) {
      made_word.gap = word(at_).gap;
      words_[usize(at_)].gap = " ";
    }
    out_.push_back(std::move(made_word));
  }
  // A slot whose beginning is gone begins with what is left of it.
  std::string lost;
  for (i64 i = at_ + (texts.empty() ? 0 : 1); i < at_ + count; ++i)
    if (!is_outside(word(i))) lost = word(i).label.substr(2);
  const i64 next = at_ + count;
  if (texts.empty() && out_.empty() && count > 0 && next < size())
    words_[usize(next)].gap = word(at_).gap;
  at_ = next;
  if (!lost.empty() && next < size() && goes_on(word(next)) && word(next).label.substr(2) == lost) {
    const bool joined =
        !out_.empty() && !is_outside(out_.back()) && out_.back().label.substr(2) == lost;
    if (!joined) words_[usize(next)].label = "B-" + lost;
  }
}

void NoisePass::finish() {
  while (!at_end())
    keep();
  words_ = std::move(out_);
}

void apply_noise(std::span<const NoiseStep> steps, f64 strength, const NoiseKnowledge& knowledge,
                 const Draws& draws, std::vector<Word>& words, std::vector<NoiseEdit>& log) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (words.empty()) return;
    const f64 rate = steps[i].rate;
    NoisePass pass(steps[i].op, strength, static_cast<u32>(i), draws, words, log);
    switch (steps[i].op) {
      case NoiseOp::kTypo:
        typo(pass, rate);
        break;
      case NoiseOp::kKeyboard:
        keyboard(pass, rate);
        break;
      case NoiseOp::kOcr:
        ocr(pass, rate);
        break;
      case NoiseOp::kCase:
        letter_case(pass, rate);
        break;
      case NoiseOp::kSpace:
        space(pass, rate);
        break;
      case NoiseOp::kEntTypo:
        ent_typo(pass, rate);
        break;
      case NoiseOp::kSpelling:
        spelling(pass, rate, knowledge.misspellings);
        break;
      case NoiseOp::kSynonym:
        synonym(pass, rate, knowledge.synonym);
        break;
      case NoiseOp::kSwap:
        swap_words(pass, rate);
        break;
      case NoiseOp::kDrop:
        drop_words(pass, rate);
        break;
      case NoiseOp::kInsert:
        insert_words(pass, rate);
        break;
      case NoiseOp::kSpeech:
        speech(pass, rate);
        break;
      case NoiseOp::kAppendIrr:
        append_irr(pass, rate);
        break;
      case NoiseOp::kSimplify:
        simplify(pass, rate);
        break;
      case NoiseOp::kVerbose:
        verbose(pass, rate);
        break;
      case NoiseOp::kParaphrase:
        break;  // reword()
    }
    pass.finish();
  }
}

std::optional<std::vector<std::string>> replay(std::vector<std::string> words,
                                               std::span<const NoiseEdit> log) {
  for (const NoiseEdit& edit : log) {
    if (edit.pos < 0 || edit.pos + isize(edit.from) > isize(words)) return std::nullopt;
    const auto first = words.begin() + edit.pos;
    if (!std::equal(edit.from.begin(), edit.from.end(), first)) return std::nullopt;
    const auto at = words.erase(first, first + isize(edit.from));
    words.insert(at, edit.to.begin(), edit.to.end());
  }
  return words;
}

bool well_formed(std::span<const Word> words) {
  std::string_view open;  // the kind of the span under way
  for (const Word& word : words) {
    const std::string_view label = word.label;
    if (is_outside(word)) {
      open = {};
    } else if (label.starts_with("B-")) {
      open = label.substr(2);
    } else if (!label.starts_with("I-") || open.empty() || label.substr(2) != open) {
      return false;
    }
  }
  return true;
}

i64 edited_characters(const NoiseEdit& edit) {
  // Code points as bytes: one that is the 255th or later of an edit stands for all such.
  std::map<char32_t, char> known;
  const auto coded = [&](const std::vector<std::string>& words) {
    std::string out;
    for (const char32_t cp : text::to_utf32(join(words, " "))) {
      const auto next = static_cast<char>(std::min<std::size_t>(known.size(), 255));
      out.push_back(known.try_emplace(cp, next).first->second);
    }
    return out;
  };
  const std::string from = coded(edit.from);
  return edit_distance(from, coded(edit.to));
}

std::vector<std::string_view> letters_of(std::string_view word) {
  std::vector<std::string_view> out;
  for (i64 at = 0; at < isize(word);) {
    const i64 end = text::cluster_end(word, at);
    out.push_back(word.substr(usize(at), usize(end - at)));
    at = end;
  }
  return out;
}

std::vector<std::string> words_of_phrase(std::string_view phrase) {
  const std::vector<std::string_view> words = text::words_ws(phrase);
  return {words.begin(), words.end()};
}

std::string capitalised_as(std::string_view word, std::string text) {
  if (word.empty() || text.empty()) return text;
  const char32_t first = decode_at(word, 0).cp;
  if (text::simple_lower(first) == first) return text;
  const Decoded d = decode_at(text, 0);
  std::string out;
  append_utf8(out, text::simple_upper(d.cp));
  return out + text.substr(usize(d.size));
}

}  // namespace lm::transform
