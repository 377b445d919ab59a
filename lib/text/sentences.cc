#include "text/sentences.h"

#include "text/break_tables.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

using tables::SentenceClass;

bool is_para_sep(SentenceClass c) {
  return c == SentenceClass::kSep || c == SentenceClass::kCr || c == SentenceClass::kLf;
}

/// What rule SB5 looks through.
bool is_ignored(SentenceClass c) {
  return c == SentenceClass::kExtend || c == SentenceClass::kFormat;
}

bool is_term(SentenceClass c) {
  return c == SentenceClass::kATerm || c == SentenceClass::kSTerm;
}

/// Walks over the characters of a text and knows which part of "SATerm Close* Sp*" lies behind.
class SentenceCursor {
 public:
  explicit SentenceCursor(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  bool next(std::string_view& sentence) {
    if (at_ == end_) return false;
    const char* const from = at_;
    phase_ = Phase::kNone;
    before_ = last_ = SentenceClass::kOther;
    SentenceClass raw = SentenceClass::kOther;
    for (bool first = true; at_ < end_; first = false) {
      const char* behind = at_;
      const SentenceClass c = tables::sentence_class(next_valid(behind));
      if (!first && breaks(raw, c)) break;
      if (first || !is_ignored(c)) take(c);
      raw = c;
      at_ = behind;
    }
    sentence = {from, static_cast<std::size_t>(at_ - from)};
    return true;
  }

 private:
  enum class Phase { kNone, kTerm, kClose, kSp };

  /// Whether a sentence ends before at_, a character of class c; raw: the one before it as it is.
  bool breaks(SentenceClass raw, SentenceClass c) const {
    if (raw == SentenceClass::kCr && c == SentenceClass::kLf) return false;  // SB3
    if (is_para_sep(raw)) return true;                                       // SB4
    if (is_ignored(c) || phase_ == Phase::kNone) return false;               // SB5, SB998
    if (c == SentenceClass::kSp || is_para_sep(c)) return false;             // SB9, SB10
    if (c == SentenceClass::kClose && phase_ != Phase::kSp) return false;    // SB9
    if (c == SentenceClass::kSContinue || is_term(c)) return false;          // SB8a
    if (term_ != SentenceClass::kATerm) return true;                         // SB11
    if (phase_ == Phase::kTerm) {
      if (c == SentenceClass::kNumeric) return false;  // SB6
      const bool letter = before_ == SentenceClass::kUpper || before_ == SentenceClass::kLower;
      if (letter && c == SentenceClass::kUpper) return false;  // SB7
    }
    return !lower_follows();  // SB8
  }

  /// SB8: a small letter before any other letter, line break or sentence end.
  bool lower_follows() const {
    for (const char* p = at_; p < end_;) {
      switch (tables::sentence_class(next_valid(p))) {
        case SentenceClass::kLower:
          return true;
        case SentenceClass::kOLetter:
        case SentenceClass::kUpper:
        case SentenceClass::kSep:
        case SentenceClass::kCr:
        case SentenceClass::kLf:
        case SentenceClass::kSTerm:
        case SentenceClass::kATerm:
          return false;
        default:
          break;
      }
    }
    return false;
  }

  void take(SentenceClass c) {
    if (is_term(c)) {
      phase_ = Phase::kTerm;
      term_ = c;
      before_ = last_;
    } else if (phase_ != Phase::kNone && c == SentenceClass::kSp) {
      phase_ = Phase::kSp;
    } else if ((phase_ == Phase::kTerm || phase_ == Phase::kClose) && c == SentenceClass::kClose) {
      phase_ = Phase::kClose;
    } else if (!is_para_sep(c)) {
      phase_ = Phase::kNone;
    }
    last_ = c;
  }

  const char* at_;
  const char* end_;
  Phase phase_ = Phase::kNone;
  SentenceClass term_ = SentenceClass::kOther;
  SentenceClass before_ = SentenceClass::kOther;  // of the character before the term
  SentenceClass last_ = SentenceClass::kOther;
};

}  // namespace

void sentences(std::string_view text, std::vector<std::string_view>& out) {
  out.clear();
  SentenceCursor cursor(text);
  std::string_view sentence;
  while (cursor.next(sentence))
    out.push_back(sentence);
}

i64 count_sentences(std::string_view text) {
  SentenceCursor cursor(text);
  std::string_view sentence;
  i64 n = 0;
  while (cursor.next(sentence))
    n += !is_blank(sentence);
  return n;
}

}  // namespace lm::text
