#include "ngram/image_target.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"

namespace lm::ngram {

FileTarget::~FileTarget() {
  unmap();
}

void FileTarget::unmap() {
  if (base_ != nullptr) ::munmap(base_, usize(size_));
  base_ = nullptr;
}

bool FileTarget::serves(const io::AtomicFile& file) {
  return io::is_regular(file.fd()) && (::fcntl(file.fd(), F_GETFL) & O_ACCMODE) == O_RDWR;
}

void FileTarget::begin(i64 bytes) {
  unmap();
  // Through zero, so that nothing of an earlier image stays.
  if (::ftruncate(file_.fd(), 0) != 0 || ::ftruncate(file_.fd(), bytes) != 0)
    throw os_error(ErrorKind::kIo, file_.path(), "cannot set the size", errno);
  void* const mapped = ::mmap(nullptr, usize(bytes), PROT_READ, MAP_SHARED, file_.fd(), 0);
  if (mapped == MAP_FAILED)
    throw os_error(ErrorKind::kOs, file_.path(), cat("cannot map ", format_bytes(bytes)), errno);
  base_ = mapped;
  size_ = bytes;
}

std::string_view FileTarget::bytes() const {
  return {static_cast<const char*>(base_), usize(size_)};
}

void PagedTarget::begin(i64 bytes) {
  space_.reset();
  space_.emplace(*ctx_, bytes);
  space_->commit(bytes);
  size_ = bytes;
}

void PagedTarget::write_at(std::string_view bytes, i64 offset) {
  LM_CHECK(offset >= 0 && offset + isize(bytes) <= size_, "a section stays inside its image");
  std::copy(bytes.begin(), bytes.end(), static_cast<char*>(space_->data()) + offset);
}

std::string_view PagedTarget::bytes() const {
  return {static_cast<const char*>(space_->data()), usize(size_)};
}

}  // namespace lm::ngram
