#include "ngram/column.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/str.h"

namespace lm::ngram {

namespace {

// Committed at a time: small beside any useful budget, large beside the cost of mmap.
constexpr i64 kPieceBytes = i64{1} << 20;

i64 round_up(i64 bytes) {
  return (bytes + kPieceBytes - 1) / kPieceBytes * kPieceBytes;
}

io::Fd open_spill(const std::string& dir) {
  std::string name = cat(dir, "/lm-spill-XXXXXX");
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) throw os_error(ErrorKind::kCannotCreate, dir, "cannot create a spill file", errno);
  ::unlink(name.c_str());
  return io::Fd(fd);
}

}  // namespace

PagedBytes::PagedBytes(const Context& ctx, i64 max_bytes)
    : ctx_(&ctx), reserved_(round_up(std::max<i64>(max_bytes, 1))) {
  void* const range = ::mmap(nullptr, usize(reserved_), PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) {
    throw os_error(ErrorKind::kOs, "address space", cat("cannot reserve ", format_bytes(reserved_)),
                   errno);
  }
  base_ = range;
}

PagedBytes::PagedBytes(PagedBytes&& other) noexcept
    : ctx_(other.ctx_),
      base_(std::exchange(other.base_, nullptr)),
      reserved_(other.reserved_),
      committed_(other.committed_),
      charged_(std::exchange(other.charged_, 0)),
      spilled_(other.spilled_),
      spill_(std::move(other.spill_)) {}

PagedBytes& PagedBytes::operator=(PagedBytes&& other) noexcept {
  if (this == &other) return *this;
  release();
  ctx_ = other.ctx_;
  base_ = std::exchange(other.base_, nullptr);
  reserved_ = other.reserved_;
  committed_ = other.committed_;
  charged_ = std::exchange(other.charged_, 0);
  spilled_ = other.spilled_;
  spill_ = std::move(other.spill_);
  return *this;
}

PagedBytes::~PagedBytes() {
  release();
}

void PagedBytes::release() noexcept {
  if (base_ != nullptr) ::munmap(base_, usize(reserved_));
  if (charged_ > 0) ctx_->memory->release(charged_);
  base_ = nullptr;
  charged_ = 0;
}

void PagedBytes::commit(i64 bytes) {
  LM_CHECK(bytes <= reserved_, "a column stays within its reserve");
  while (committed_ < bytes) {
    // Growth by an eighth keeps the number of mappings logarithmic.
    const i64 wanted = std::max(bytes - committed_, committed_ / 8);
    const i64 step = std::min(round_up(wanted), reserved_ - committed_);
    char* const at = static_cast<char*>(base_) + committed_;
    if (ctx_->memory->try_charge(step)) {
      charged_ += step;
      if (::mprotect(at, usize(step), PROT_READ | PROT_WRITE) != 0) {
        throw os_error(ErrorKind::kOs, "memory", cat("cannot commit ", format_bytes(step)), errno);
      }
    } else {
      if (!spill_.valid()) spill_ = open_spill(ctx_->tmp_dir);
      // Reserving the blocks now turns a full disk into an error instead of a signal at some store.
      const int code = ::posix_fallocate(spill_.get(), spilled_, step);
      if (code != 0) {
        throw os_error(ErrorKind::kIo, ctx_->tmp_dir,
                       cat("cannot spill another ", format_bytes(step)), code);
      }
      void* const mapped = ::mmap(at, usize(step), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                                  spill_.get(), spilled_);
      if (mapped == MAP_FAILED) {
        throw os_error(ErrorKind::kOs, ctx_->tmp_dir, "cannot map a spill file", errno);
      }
      spilled_ += step;
    }
    committed_ += step;
  }
}

}  // namespace lm::ngram
