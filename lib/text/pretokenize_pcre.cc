// The general engine behind Regex: PCRE2 in UTF mode with Unicode properties.

#define PCRE2_CODE_UNIT_WIDTH 8
#include <algorithm>
#include <limits>

#include <pcre2.h>

#include "core/error.h"
#include "core/str.h"
#include "text/pretokenize.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

std::string pcre_message(int code) {
  PCRE2_UCHAR buf[256];
  if (pcre2_get_error_message(code, buf, sizeof buf) < 0) return cat("error ", code);
  return std::string(reinterpret_cast<const char*>(buf));
}

PCRE2_SPTR pcre_text(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

// PCRE2 keeps its backtracking state on the heap or a JIT stack; a run of letters of a few
// megabytes needs more than the 32 KiB that JIT starts with.
constexpr std::size_t kJitStackBytes = std::size_t{8} << 20;

constexpr std::string_view kWordSet = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";

/// What replaces an escape whose PCRE2 meaning is not the engines'; empty: it stays as it is.
std::string replacement_of(char escape, bool in_class, std::string_view pattern) {
  switch (escape) {
    case 's':
      return R"(\p{White_Space})";
    case 'S':
      return R"(\P{White_Space})";
    case 'w':
      return in_class ? std::string(kWordSet) : cat("[", kWordSet, "]");
    case 'W':
      if (!in_class) return cat("[^", kWordSet, "]");
      [[fallthrough]];
    case 'h':
    case 'H':
      throw Error(ErrorKind::kData,
                  cat("pattern ", quote(pattern), " uses \\", escape,
                      in_class ? " inside a class" : "", ", which the engines read differently"));
    default:
      return {};
  }
}

std::string translate(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const std::string other = replacement_of(pattern[i + 1], in_class, pattern);
      out += other.empty() ? std::string(pattern.substr(i, 2)) : other;
      ++i;
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out.push_back(c);
  }
  return out;
}

}  // namespace

struct Regex::Impl {
  pcre2_code* code = nullptr;
  bool jit = false;
  std::string pattern;  // for messages
  ~Impl() { pcre2_code_free(code); }
};

Regex::Regex(std::string_view pattern, RegexDialect dialect) : impl_(std::make_unique<Impl>()) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::string translated = translate(pattern);
  impl_->pattern = pattern;
  const u32 anchors = dialect == RegexDialect::kOniguruma ? PCRE2_MULTILINE : PCRE2_DOLLAR_ENDONLY;
  impl_->code = pcre2_compile(pcre_text(translated), translated.size(),
                              PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | anchors, &error,
                              &offset, nullptr);
  if (impl_->code == nullptr) {
    throw Error(ErrorKind::kData, cat("pattern ", quote(pattern), " is wrong at byte ", offset,
                                      ": ", pcre_message(error)));
  }
  // Without JIT (not every machine has it) the interpreter gives the same matches.
  impl_->jit = pcre2_jit_compile(impl_->code, PCRE2_JIT_COMPLETE) == 0;
}

Regex::~Regex() = default;
Regex::Regex(Regex&& other) noexcept = default;
Regex& Regex::operator=(Regex&& other) noexcept = default;

struct RegexWork::Impl {
  pcre2_match_data* data = nullptr;
  pcre2_match_context* ctx = nullptr;
  pcre2_jit_stack* stack = nullptr;
  ~Impl() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(ctx);
    pcre2_jit_stack_free(stack);
  }
};

RegexWork::RegexWork() : impl_(std::make_unique<Impl>()) {
  impl_->data = pcre2_match_data_create(1, nullptr);  // the whole match is all that is asked for
  impl_->ctx = pcre2_match_context_create(nullptr);
  if (impl_->data == nullptr || impl_->ctx == nullptr) throw std::bad_alloc();
}
RegexWork::~RegexWork() = default;
RegexWork::RegexWork(RegexWork&& other) noexcept = default;
RegexWork& RegexWork::operator=(RegexWork&& other) noexcept = default;

std::optional<std::string> Regex::try_find(std::string_view text, i64 most, RegexWork& work,
                                           std::vector<Span>& matches) const {
  RegexWork::Impl& scratch = *work.impl_;
  if (impl_->jit && scratch.stack == nullptr) {
    scratch.stack = pcre2_jit_stack_create(32 << 10, kJitStackBytes, nullptr);
    if (scratch.stack == nullptr) throw std::bad_alloc();
    pcre2_jit_stack_assign(scratch.ctx, nullptr, scratch.stack);
  }
  const PCRE2_SIZE* range = pcre2_get_ovector_pointer(scratch.data);
  u32 options = PCRE2_NO_UTF_CHECK;
  for (i64 at = 0; at <= isize(text) && most > 0;) {
    const int rc = pcre2_match(impl_->code, pcre_text(text), text.size(), usize(at), options,
                               scratch.data, scratch.ctx);
    if (rc == PCRE2_ERROR_NOMATCH) {
      if (options == PCRE2_NO_UTF_CHECK || at >= isize(text)) break;
      // Nothing but the empty match that was already reported starts here: step one character.
      at += sequence_size(text[usize(at)]);
      options = PCRE2_NO_UTF_CHECK;
      continue;
    }
    if (rc < 0) return cat("at byte ", at, ": ", pcre_message(rc));
    const i64 begin = static_cast<i64>(range[0]);
    const i64 end = static_cast<i64>(range[1]);
    matches.push_back({begin, end});
    --most;
    at = std::max(end, at);
    options = begin == end ? PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED
                           : PCRE2_NO_UTF_CHECK;
  }
  return std::nullopt;
}

void Regex::find_all(std::string_view text, std::vector<Span>& matches) const {
  RegexWork work;
  const std::optional<std::string> why =
      try_find(text, std::numeric_limits<i64>::max(), work, matches);
  if (why)
    throw Error(ErrorKind::kData,
                cat("the tokenizer's pattern ", quote(impl_->pattern), " gives up ", *why));
}

}  // namespace lm::text
