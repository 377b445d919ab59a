#include "cpu/scratch.h"

#include <cstdlib>
#include <new>
#include <vector>

namespace lm::cpu {

namespace {

struct Block {
  f32* data;
  i64 capacity;
};

constexpr i64 kKeptFloats = i64{16} << 20;  // 64 MiB a thread; larger blocks go back at once

struct FreeList {
  std::vector<Block> blocks;
  i64 held = 0;
  ~FreeList() {
    for (const Block& block : blocks)
      std::free(block.data);
  }
};

FreeList& free_list() {
  thread_local FreeList list;
  return list;
}

}  // namespace

Scratch::Scratch(i64 floats) {
  FreeList& list = free_list();
  // Smallest block that fits; the list holds a handful.
  i64 best = -1;
  for (i64 i = 0; i < ssize(list.blocks); ++i) {
    const i64 capacity = list.blocks[usize(i)].capacity;
    if (capacity >= floats && (best < 0 || capacity < list.blocks[usize(best)].capacity)) best = i;
  }
  if (best >= 0) {
    data_ = list.blocks[usize(best)].data;
    capacity_ = list.blocks[usize(best)].capacity;
    list.held -= capacity_;
    list.blocks[usize(best)] = list.blocks.back();
    list.blocks.pop_back();
    return;
  }
  capacity_ = (floats + 1024) / 1024 * 1024;  // at least one page, never zero
  data_ = static_cast<f32*>(std::aligned_alloc(64, usize(capacity_) * sizeof(f32)));
  if (data_ == nullptr) throw std::bad_alloc();
}

Scratch::~Scratch() {
  FreeList& list = free_list();
  if (list.held + capacity_ > kKeptFloats) {
    std::free(data_);
    return;
  }
  try {
    list.blocks.push_back({data_, capacity_});
    list.held += capacity_;
  } catch (...) {
    std::free(data_);
  }
}

}  // namespace lm::cpu
