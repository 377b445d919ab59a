#define PCRE2_CODE_UNIT_WIDTH 8
#include "mix/pattern.h"

#include <new>

#include <pcre2.h>

#include "core/error.h"
#include "core/str.h"

namespace lm::mix {

struct Pattern::Code {
  pcre2_code* code = nullptr;
  ~Code() { pcre2_code_free(code); }
};

namespace {

PCRE2_SPTR units(std::string_view text) {
  static constexpr char kEmpty = 0;
  return reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? &kEmpty : text.data());
}

// One per thread: a search needs no groups, so one pair serves every pattern.
pcre2_match_data* match_data() {
  struct Data {
    pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
    ~Data() { pcre2_match_data_free(data); }
  };
  thread_local const Data kData;
  if (kData.data == nullptr) throw std::bad_alloc();
  return kData.data;
}

}  // namespace

Pattern::Pattern(std::string_view text) : code_(std::make_unique<Code>()) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->code =
      pcre2_compile(units(text), text.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C,
                    &error, &offset, nullptr);
  if (code_->code == nullptr) {
    PCRE2_UCHAR buf[256] = {};
    pcre2_get_error_message(error, buf, sizeof buf);
    throw Error(ErrorKind::kUsage,
                cat("pattern ", quote(text), ": ", reinterpret_cast<const char*>(buf),
                    " at its byte ", offset));
  }
  pcre2_jit_compile(code_->code, PCRE2_JIT_COMPLETE);  // without it matching is only slower
}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

int Pattern::find(std::string_view text) const {
  const auto match = [&](u32 options) {
    return pcre2_match(code_->code, units(text), text.size(), 0, PCRE2_NO_UTF_CHECK | options,
                       match_data(), nullptr);
  };
  int rc = match(0);
  if (rc == PCRE2_ERROR_JIT_STACKLIMIT) rc = match(PCRE2_NO_JIT);
  return rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

}  // namespace lm::mix
