#pragma once
// Where the bytes of an image go, section by section: the output file, or memory of the budget
// that spills.

#include <memory>
#include <optional>
#include <string_view>

#include "core/context.h"
#include "io/atomic_file.h"
#include "ngram/column.h"

namespace lm::ngram {

class ImageTarget {
 public:
  virtual ~ImageTarget() = default;
  /// Makes room for an image of this many bytes, all zero; what was there before is lost.
  virtual void begin(i64 bytes) = 0;
  virtual void write_at(std::string_view bytes, i64 offset) = 0;
  /// Everything as written so far; valid until begin().
  virtual std::string_view bytes() const = 0;
};

/// A regular file under its temporary name, mapped for reading; the caller commits.
class FileTarget final : public ImageTarget {
 public:
  explicit FileTarget(io::AtomicFile& file) : file_(file) {}
  ~FileTarget() override;
  FileTarget(const FileTarget&) = delete;
  FileTarget& operator=(const FileTarget&) = delete;
  /// True if a file can be written so: it is regular and open for reading too.
  static bool serves(const io::AtomicFile& file);
  void begin(i64 bytes) override;
  void write_at(std::string_view bytes, i64 offset) override { file_.write_at(bytes, offset); }
  std::string_view bytes() const override;

 private:
  void unmap();
  io::AtomicFile& file_;
  void* base_ = nullptr;
  i64 size_ = 0;
};

/// Memory while the budget lasts, a spill file beyond.
class PagedTarget final : public ImageTarget {
 public:
  explicit PagedTarget(const Context& ctx) : ctx_(&ctx) {}
  void begin(i64 bytes) override;
  void write_at(std::string_view bytes, i64 offset) override;
  std::string_view bytes() const override;

 private:
  const Context* ctx_;
  std::optional<PagedBytes> space_;
  i64 size_ = 0;
};

}  // namespace lm::ngram
