#pragma once
// Every line in a random place among all: a true global shuffle, of more lines than fit in memory.
// Line i gets a 64-bit key, a function of the seed and i; lines leave in the order of (key, i), so
// the permutation depends on the seed and the number of lines alone, not on the memory. Lines are
// kept in blocks; when the allowance is used up the blocks are sorted and merged into a run of a
// spill file, and runs are merged while they are read.
// Thread rule: one thread at a time; the sorting inside is parallel.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/random.h"
#include "io/file.h"

namespace lm::mix {

class Shuffle {
 public:
  /// Holds at most max_bytes in memory (never less than a block of 64 KiB), charged to ctx.memory
  /// block by block; when the budget refuses a block it spills as if full.
  Shuffle(const Context& ctx, i64 max_bytes, u64 seed);
  ~Shuffle();
  Shuffle(const Shuffle&) = delete;
  Shuffle& operator=(const Shuffle&) = delete;

  /// line: without newline. Throws Error{kOs} if not even this line fits, kIo, kCannotCreate.
  void add(std::string_view line);
  /// Ends the adding. Call once, then next() until it returns false.
  void finish();
  /// Appends the next line and its newline.
  bool next(std::string& out);

  i64 size() const { return size_; }
  /// Bytes written to spill files so far, all passes together.
  i64 spilled_bytes() const { return spilled_bytes_; }

 private:
  struct Entry {
    u64 key;
    i64 index;  // of the line among all
    i64 size;
    const char* text;  // in memory only
  };
  struct Block {
    std::string text;  // never grows beyond what was reserved: entries point into it
    std::vector<Entry> entries;
    i64 charged = 0;
  };
  struct Run {
    i64 begin;
    i64 end;
  };
  /// A block in memory or a run of the file; head is its next line.
  struct Source {
    const Block* block = nullptr;
    std::size_t at = 0;
    std::unique_ptr<io::TempReader> file;
    Entry head{};
    bool advance();
    void take(std::string& out);  // appends the head's text; once per head
  };
  class Merge;

  void open_block(i64 line_bytes);
  void sort_blocks();
  void spill();
  void merge_runs();
  Run write_run(io::TempFile& file, std::vector<Source> sources);
  std::vector<Source> block_sources() const;
  std::vector<Source> run_sources() const;
  void drop_blocks();

  const Context* ctx_;
  RandomStream keys_;
  i64 max_bytes_;
  i64 block_bytes_;
  i64 charged_ = 0;
  i64 size_ = 0;
  i64 spilled_bytes_ = 0;
  std::vector<Block> blocks_;
  std::unique_ptr<io::TempFile> file_;
  std::vector<Run> runs_;
  std::unique_ptr<Merge> merge_;
};

}  // namespace lm::mix
