// Personal data by pattern, as Dolma's taggers find it: e-mail addresses, phone numbers, IPv4
// addresses. Scanners in pii_match.h.

#include <algorithm>

#include "core/str.h"
#include "tag/pii_match.h"
#include "tag/tagger.h"
#include "text/segment.h"

namespace lm::tag {

std::vector<TaggerDef> pii_taggers();

namespace {

enum Type : i64 { kEmail, kPhone, kIp, kDoc, kCount = kDoc + 1, kFastCount = kDoc, kFastFrac };

constexpr i64 kWindow = 100;               // code points around a number that are looked at
constexpr i64 kMostQuestionMarks = 10000;  // above, the reference's quick tagger finds nothing

/// The rules for e-mail matches, as the reference asks them of the text between delimiters.
bool is_address(std::string_view addressee, std::string_view domain) {
  return text::strip(addressee) != "(" && domain.find('.') != std::string_view::npos;
}

bool is_address(std::string_view mention) {
  const std::size_t at = mention.find('@');
  const std::size_t next = mention.find('@', at + 1);
  return is_address(mention.substr(0, at),
                    mention.substr(at + 1, next == std::string_view::npos ? next : next - at - 1));
}

/// The range and n code points on either side of it.
Range widened(std::string_view text, Range r, i64 n) {
  const auto continues = [&](i64 at) { return (static_cast<u8>(text[usize(at)]) & 0xC0) == 0x80; };
  for (i64 left = n; left > 0 && r.begin > 0; --left) {
    do
      --r.begin;
    while (continues(r.begin));
  }
  const i64 size = isize(text);
  for (i64 left = n; left > 0 && r.end < size; --left) {
    do
      ++r.end;
    while (r.end < size && continues(r.end));
  }
  return r;
}

/// A book's or article's number, or one of a list of tickets.
bool is_reference(std::string_view context) {
  return context.find("isbn") != std::string_view::npos ||
         context.find("doi") != std::string_view::npos ||
         context.find('#') != std::string_view::npos;
}

/// True if a word that the match touches is an address on the web.
bool lies_in_url(Document& document, Range match) {
  const std::span<const Word> words = document.words();
  auto at = std::upper_bound(words.begin(), words.end(), match.begin,
                             [](i64 begin, const Word& w) { return begin < w.begin + w.bytes; });
  for (; at != words.end() && at->begin < match.end; ++at)
    if (holds_url(document.slice(*at))) return true;
  return false;
}

class Pii : public Tagger {
 public:
  /// strict: the first version, which fails without words. counts: doc_count too.
  Pii(const TagSettings& settings, bool strict, bool counts)
      : dolma_(settings.dolma), strict_(strict), counts_(counts) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view text = document.text();
    const Range all{0, isize(text)};
    const i64 words = isize(document.words());
    if (dolma_ && strict_ && words == 0)
      return Fault{"range", "the reference divides by the number of words, which is 0", -1};
    emails_.clear();
    phones_.clear();
    ips_.clear();
    find_emails(text, all, emails_);
    find_phones(text, document.bits(), all, phones_);
    find_ips(text, document.bits(), all, ips_);
    i64 found = 0;
    const auto emit = [&](i64 type, Range r) {
      out.span(type, r.begin, r.end);
      ++found;
    };
    for (const EmailMatch& match : emails_)
      if (is_address(document.slice(match.all))) emit(kEmail, match.all);
    for (const Range match : phones_) {
      if (is_reference(document.slice(widened(text, match, kWindow)))) continue;
      // D-05: the reference's rule is for whole documents and can never apply.
      if (!dolma_ && lies_in_url(document, match)) continue;
      emit(kPhone, match);
    }
    for (const Range match : ips_)
      if (!is_reference(document.slice(widened(text, match, kWindow)))) emit(kIp, match);
    out.value(kDoc, words == 0 ? -1 : static_cast<f64>(found) / static_cast<f64>(words));
    if (counts_) out.value(kCount, static_cast<f64>(found));
    return std::nullopt;
  }

 private:
  bool dolma_;
  bool strict_;
  bool counts_;
  std::vector<EmailMatch> emails_;
  std::vector<Range> phones_;
  std::vector<Range> ips_;
};

/// Paragraph by paragraph, without the rules on what stands around a number.
class FastPii : public Tagger {
 public:
  explicit FastPii(const TagSettings& settings) : dolma_(settings.dolma) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view text = document.text();
    found_ = 0;
    chars_ = 0;
    const bool skipped =
        dolma_ && count_byte(text, '?', kMostQuestionMarks + 1) > kMostQuestionMarks;
    // Nearly all paragraphs have neither an '@' nor a digit.
    const text::ByteBits& bits = document.bits();
    const auto digits = [&](i64 block) {
      return bits.digits()[usize(block)] | (bits.ascii() ? 0 : bits.inner()[usize(block)]);
    };
    i64 sign = -1;
    i64 digit = -1;
    for (const Range paragraph : document.paragraphs()) {
      if (skipped) break;
      if (sign < paragraph.begin)
        sign = static_cast<i64>(std::min(text.find('@', usize(paragraph.begin)), text.size()));
      if (digit < paragraph.begin) digit = text::find_bit(paragraph.begin, isize(text), digits);
      if (sign < paragraph.end || digit < paragraph.end) judge(document, paragraph, out);
    }
    out.value(kFastCount, static_cast<f64>(found_));
    // D-06: the reference adds the length of the count's own span.
    const i64 sum = chars_ + (dolma_ ? document.chars() : 0);
    out.value(kFastFrac, document.chars() == 0
                             ? -1
                             : static_cast<f64>(sum) / static_cast<f64>(document.chars()));
    return std::nullopt;
  }

 private:
  void judge(Document& document, Range paragraph, Emitter& out) {
    const std::string_view text = document.text();
    emails_.clear();
    phones_.clear();
    ips_.clear();
    find_emails(text, paragraph, emails_);
    find_phones(text, document.bits(), paragraph, phones_);
    find_ips(text, document.bits(), paragraph, ips_);
    for (const EmailMatch& match : emails_) {
      const std::string_view address = document.slice(match.address);
      const std::size_t at = address.find('@');
      if (is_address(address.substr(0, at), address.substr(at + 1)))
        emit(document, kEmail, match.all, out);
    }
    for (const Range match : phones_)
      emit(document, kPhone, match, out);
    for (const Range match : ips_)
      emit(document, kIp, match, out);
  }

  void emit(Document& document, i64 type, Range r, Emitter& out) {
    out.span(type, r.begin, r.end);
    ++found_;
    chars_ += document.chars_of(r);
  }

  bool dolma_;
  i64 found_ = 0;
  i64 chars_ = 0;
  std::vector<EmailMatch> emails_;
  std::vector<Range> phones_;
  std::vector<Range> ips_;
};

std::vector<TagType> types(std::initializer_list<TagType> more) {
  std::vector<TagType> all = {
      {"EMAIL_ADDRESS", "an e-mail address, with the marks and white space around it"},
      {"PHONE_NUMBER", "a phone number of ten digits, with the white space before it"},
      {"IP_ADDRESS", "four numbers up to 255 with dots between"},
  };
  all.insert(all.end(), more);
  return all;
}

}  // namespace

std::vector<TaggerDef> pii_taggers() {
  const std::string source = "Dolma";
  const TagType per_word = {"doc", "spans over words, -1 without words"};
  const TagType count = {"doc_count", "number of spans"};
  const TagType frac = {"doc_frac", "characters of spans over those of the text, -1 if empty"};
  const auto make = [](bool strict, bool counts) {
    return [strict, counts](const TagSettings& settings) {
      return std::make_unique<Pii>(settings, strict, counts);
    };
  };
  return {{"pii_regex_v1",
           "match",
           "e-mail, phone and IP addresses",
           source,
           types({per_word}),
           {},
           make(true, false)},
          {"pii_regex_v2",
           "match",
           "the same; texts without words have a value",
           source,
           types({per_word}),
           {},
           make(false, false)},
          {"pii_regex_with_counts_v2",
           "match",
           "as pii_regex_v1, and their number",
           source,
           types({per_word, count}),
           {},
           make(true, true)},
          {"pii_regex_with_counts_fast_v2",
           "match",
           "the same patterns in every paragraph by itself, whatever stands around a number",
           source,
           types({count, frac}),
           {},
           [](const TagSettings& settings) { return std::make_unique<FastPii>(settings); }}};
}

}  // namespace lm::tag
