#include "dedup/near_sets.h"

#include <algorithm>
#include <bit>

#include "core/error.h"
#include "core/hash.h"

namespace lm::dedup {

namespace {

constexpr i64 kBlockBits = 512;
constexpr i64 kWordBytes = 8;

i64 blocks_of(i64 documents) {
  return documents / kBlockBits + 1;
}

}  // namespace

CandidateIndex::CandidateIndex(MemoryBudget& budget, i64 documents)
    : charge_(budget, blocks_of(documents) * (kBlockBits / 8 + kWordBytes), "the candidate index"),
      bits_(usize(blocks_of(documents) * (kBlockBits / 64))),
      before_(usize(blocks_of(documents))) {}

void CandidateIndex::seal() {
  size_ = 0;
  for (std::size_t block = 0; block < before_.size(); ++block) {
    before_[block] = size_;
    for (std::size_t w = 0; w < kBlockBits / 64; ++w)
      size_ += std::popcount(bits_[block * 8 + w]);
  }
}

i64 CandidateIndex::rank(i64 ordinal) const {
  const i64 block = ordinal / kBlockBits;
  i64 n = before_[usize(block)];
  for (i64 w = block * 8; w < ordinal / 64; ++w)
    n += std::popcount(bits_[usize(w)]);
  const u64 below = (u64{1} << (ordinal % 64)) - 1;
  return n + std::popcount(bits_[usize(ordinal / 64)] & below);
}

std::vector<i64> CandidateIndex::ordinals() const {
  std::vector<i64> all;
  all.reserve(usize(size_));
  for (i64 w = 0; w < isize(bits_); ++w) {
    for (u64 left = bits_[usize(w)]; left != 0; left &= left - 1) {
      all.push_back(w * 64 + std::countr_zero(left));
    }
  }
  return all;
}

ShingleStore::ShingleStore(const Context& ctx, i64 max_bytes, i64 candidates)
    : ctx_(&ctx),
      max_bytes_(max_bytes),
      charge_(*ctx.memory, (candidates + 1) * 2 * kWordBytes, "the table of shingle sets") {
  offsets_.reserve(usize(candidates + 1));
  digests_.reserve(usize(candidates));
  offsets_.push_back(0);
}

ShingleStore::~ShingleStore() {
  ctx_->memory->release(charged_);
}

void ShingleStore::append(std::span<const u64> set) {
  offsets_.push_back(offsets_.back() + isize(set));
  digests_.push_back(xxh3_64({reinterpret_cast<const char*>(set.data()), set.size_bytes()}));
  if (!file_) {
    const i64 wanted = (isize(memory_) + isize(set)) * kWordBytes;
    while (charged_ < wanted) {
      // Doubling holds old and new at once; both are charged while it happens.
      const i64 grown = std::max<i64>({wanted, 2 * charged_, 4096});
      if (grown > max_bytes_ || !ctx_->memory->try_charge(grown)) break;
      memory_.reserve(usize(grown / kWordBytes));
      ctx_->memory->release(charged_);
      charged_ = grown;
    }
    if (charged_ >= wanted) {
      memory_.insert(memory_.end(), set.begin(), set.end());
      return;
    }
    file_ = std::make_unique<io::TempFile>(ctx_->tmp_dir);
  }
  file_->append(set.data(), isize(set) * kWordBytes);
}

std::span<const u64> ShingleStore::read(i64 id, std::vector<u64>& scratch) const {
  const i64 begin = offsets_[usize(id)];
  const i64 n = count(id);
  if (begin + n <= isize(memory_)) return std::span(memory_).subspan(usize(begin), usize(n));
  scratch.resize(usize(n));
  const i64 bytes = n * kWordBytes;
  const i64 got = file_->read_at(scratch.data(), bytes, (begin - isize(memory_)) * kWordBytes);
  if (got != bytes) throw Error(ErrorKind::kIo, "the spill file of shingle sets ended early");
  return scratch;
}

UnionFind::UnionFind(MemoryBudget& budget, i64 n)
    : charge_(budget, n * kWordBytes, "the union-find table"), parent_(usize(n)) {
  for (i64 i = 0; i < n; ++i)
    parent_[usize(i)] = i;
}

i64 UnionFind::find(i64 x) {
  while (parent_[usize(x)] != x) {
    parent_[usize(x)] = parent_[usize(parent_[usize(x)])];
    x = parent_[usize(x)];
  }
  return x;
}

void UnionFind::unite(i64 a, i64 b) {
  a = find(a);
  b = find(b);
  if (a != b) parent_[usize(std::max(a, b))] = std::min(a, b);
}

}  // namespace lm::dedup
