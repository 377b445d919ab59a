#define PCRE2_CODE_UNIT_WIDTH 8
#include "eval/regex.h"

#include <functional>

#include <pcre2.h>

#include "core/error.h"
#include "core/str.h"

namespace lm::eval {

namespace {

/// Python's spelling to PCRE2's.
std::string translated(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    const char c = pattern[++i];
    if (c == 'Z') {
      out += "\\z";
    } else if (c == 'u' && i + 4 < pattern.size()) {
      append(out, "\\x{", pattern.substr(i + 1, 4), "}");
      i += 4;
    } else {
      append(out, '\\', c);
    }
  }
  return out;
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());  // NOLINT: the library's character type
}

std::string reason(int code) {
  PCRE2_UCHAR buf[256];
  if (pcre2_get_error_message(code, buf, sizeof buf) < 0) return cat("error ", code);
  return reinterpret_cast<const char*>(buf);  // NOLINT: the library's character type
}

}  // namespace

struct Regex::Code {
  pcre2_code* code = nullptr;
  ~Code() { pcre2_code_free(code); }
};

Regex::Regex(std::string_view pattern, const std::string& where)
    : pattern_(pattern), code_(std::make_unique<Code>()) {
  const std::string text = translated(pattern);
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->code =
      pcre2_compile(units(text), text.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C,
                    &error, &offset, nullptr);
  if (code_->code == nullptr)
    throw Error(ErrorKind::kConfig, cat(where, ": the pattern ", quote(pattern), ": ",
                                        reason(error), " (byte ", offset, ")"));
}

Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

namespace {

/// Calls visit(range pairs, groups) for every match until it is false.
void each_match(const pcre2_code* code, std::string_view text, const std::string& pattern,
                const std::function<bool(const PCRE2_SIZE* range, u32 groups)>& visit) {
  const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> data(
      pcre2_match_data_create_from_pattern(code, nullptr), pcre2_match_data_free);
  if (!data) throw std::bad_alloc();
  u32 groups = 0;
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
  PCRE2_SIZE at = 0;
  u32 options = 0;
  while (at <= text.size()) {
    const int found = pcre2_match(code, units(text), text.size(), at, options | PCRE2_NO_UTF_CHECK,
                                  data.get(), nullptr);
    if (found == PCRE2_ERROR_NOMATCH) {
      if (options == 0) return;
      options = 0;  // after an empty match: on by one character
      ++at;
      while (at < text.size() && (static_cast<u8>(text[at]) & 0xC0) == 0x80)
        ++at;
      continue;
    }
    if (found < 0)
      throw Error(ErrorKind::kData,
                  cat("the pattern ", quote(pattern), " gives up on a text: ", reason(found)));
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
    if (!visit(range, groups)) return;
    at = range[1];
    // Another match may begin where an empty one stood, but not be empty there.
    options = range[0] == range[1] ? PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED : 0;
  }
}

}  // namespace

void Regex::each(std::string_view text,
                 const std::function<bool(std::vector<std::string> match)>& visit) const {
  each_match(code_->code, text, pattern_, [&](const PCRE2_SIZE* range, u32 groups) {
    std::vector<std::string> found;
    for (u32 g = groups == 0 ? 0 : 1; g <= groups; ++g) {
      const PCRE2_SIZE begin = range[2 * g];
      found.emplace_back(begin == PCRE2_UNSET ? std::string_view()
                                              : text.substr(begin, range[2 * g + 1] - begin));
    }
    return visit(std::move(found));
  });
}

std::vector<std::vector<std::string>> Regex::find_all(std::string_view text) const {
  std::vector<std::vector<std::string>> out;
  each(text, [&](std::vector<std::string> match) {
    out.push_back(std::move(match));
    return true;
  });
  return out;
}

std::string Regex::without(std::string_view text) const {
  std::string out;
  std::size_t at = 0;
  each_match(code_->code, text, pattern_, [&](const PCRE2_SIZE* range, u32) {
    out += text.substr(at, range[0] - at);
    at = range[1];
    return true;
  });
  return out + std::string(text.substr(at));
}

std::string Regex::escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '_' || static_cast<u8>(c) >= 0x80;
    if (!word) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace lm::eval
