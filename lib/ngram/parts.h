#pragma once
// Records with a hash, scattered over parts by the upper bits of the mixed hash (image.h, slot_of):
// part k of a table holds the records whose searches start in its k-th piece, however many slots
// the table has. Each part keeps the order of arrival. Parts that do not fit into their buffers
// lie in an unlinked spill file.

#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "core/context.h"
#include "io/file.h"
#include "ngram/image.h"

namespace lm::ngram {

template <typename Record>
class Parts {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  /// A buffer of buffer_bytes per part, allocated when the part is first used.
  Parts(const Context& ctx, i64 parts, i64 buffer_bytes)
      : ctx_(&ctx),
        most_(std::max<i64>(buffer_bytes / static_cast<i64>(sizeof(Record)), 16)),
        parts_(usize(parts)) {}

  i64 parts() const { return isize(parts_); }
  i64 size() const { return size_; }
  /// Throws Error{kCannotCreate, kIo} when the spill file cannot be had.
  void push(const Record& record) {
    Part& part = parts_[usize(slot_of(record.hash, parts()))];
    if (isize(part.buffer) == most_) write(part);
    if (part.buffer.empty()) part.buffer.reserve(usize(most_));
    part.buffer.push_back(record);
    ++size_;
  }
  /// Gives the buffers' memory back; push() may follow.
  void rest() {
    if (parts() == 1) return;  // one buffer costs less than a file
    for (Part& part : parts_)
      write(part);
  }
  /// Calls visit(span of records) until part k is through.
  template <typename Visit>
  void each(i64 k, const Visit& visit) const {
    const Part& part = parts_[usize(k)];
    std::vector<Record> block(part.blocks.empty() ? 0 : usize(most_));
    for (const Block& at : part.blocks) {
      const i64 bytes = at.records * static_cast<i64>(sizeof(Record));
      if (spill_->read_at(block.data(), bytes, at.offset) != bytes)
        throw Error(ErrorKind::kIo, "spill file: shorter than written");
      visit(std::span<const Record>(block.data(), usize(at.records)));
    }
    if (!part.buffer.empty()) visit(std::span<const Record>(part.buffer));
  }

 private:
  struct Block {
    i64 offset;
    i64 records;
  };
  struct Part {
    std::vector<Record> buffer;
    std::vector<Block> blocks;
  };
  void write(Part& part) {
    if (part.buffer.empty()) return;
    if (!spill_) spill_.emplace(ctx_->tmp_dir);
    part.blocks.push_back({spill_->size(), isize(part.buffer)});
    spill_->append(part.buffer.data(), isize(part.buffer) * static_cast<i64>(sizeof(Record)));
    part.buffer = {};
  }

  const Context* ctx_;
  i64 most_;  // records per buffer
  i64 size_ = 0;
  std::vector<Part> parts_;
  std::optional<io::TempFile> spill_;
};

}  // namespace lm::ngram
