#include "dedup/near.h"

#include <algorithm>

#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "dedup/near_verify.h"
#include "text/tokenizer.h"

namespace lm::dedup {

namespace {

constexpr i64 kStretch = 4096;        // members of a group that are held at once
constexpr i64 kBatchMembers = 65536;  // of whole groups verified together
constexpr i64 kDocumentsPerBlock = 16;

/// A digest of a group's members, so that groups that several bands repeat are kept once.
struct GroupDigest {
  u64 a = 1;
  u64 b = 2;
  void add(u64 ordinal) {
    a = mix64(a ^ ordinal) * 0x9E3779B97F4A7C15ULL;
    b = mix64(b + ordinal * 0xD6E8FEB86659FD93ULL);
  }
  bool operator==(const GroupDigest&) const = default;
};

/// Remembers recent group digests in a fixed table; forgetting one only costs time. The exact
/// duplicates of a document share all bands: 13 of 14 groups of fineweb's shape repeat the first.
class GroupMemory {
 public:
  GroupMemory() : slots_(usize(kSlots)) {}
  bool seen(const GroupDigest& digest) {
    GroupDigest& slot = slots_[digest.a % kSlots];
    if (slot == digest) return true;
    slot = digest;
    return false;
  }

 private:
  static constexpr i64 kSlots = 1 << 18;
  std::vector<GroupDigest> slots_;
};

/// Writes groups of two or more as they stream by in key order.
class GroupWriter {
 public:
  GroupWriter(io::TempFile& file, CandidateIndex& index, Log& log, i64 hot, NearStats& stats)
      : file_(&file), index_(&index), log_(&log), hot_(hot), stats_(&stats) {}

  void member(u64 key, u64 ordinal) {
    if (count_ == 0 || key != key_) {
      end_group();
      key_ = key;
    }
    if (isize(held_) == kStretch) flush_long();
    held_.push_back(ordinal);
    ++count_;
  }
  void finish() {
    end_group();
    flush();
  }

 private:
  void end_group() {
    if (count_ >= 2 && (long_ || is_new())) {
      ++stats_->groups;
      emit(!long_);
      if (count_ > hot_) report_hot();
    }
    held_.clear();
    count_ = 0;
    long_ = false;
  }
  bool is_new() {
    GroupDigest digest;
    for (const u64 ordinal : held_)
      digest.add(ordinal);
    return !memory_.seen(digest);
  }
  void flush_long() {
    emit(!long_);
    long_ = true;
    held_.clear();
  }
  void emit(bool opens) {
    if (opens) first_ = static_cast<i64>(held_.front());
    for (const u64 ordinal : held_) {
      out_.push_back(ordinal * 2 + (opens ? 1 : 0));
      opens = false;
      index_->insert(static_cast<i64>(ordinal));
    }
    if (isize(out_) >= 1 << 16) flush();
  }
  void flush() {
    file_->append(out_.data(), isize(out_) * 8);
    out_.clear();
  }
  void report_hot() {
    ++stats_->hot_groups;
    log_->message(LogLevel::kWarning,
                  cat(count_, " documents share one band of minima, the first is number ", first_,
                      " (boilerplate or failed extraction?)"));
  }

  io::TempFile* file_;
  CandidateIndex* index_;
  Log* log_;
  i64 hot_;
  NearStats* stats_;
  GroupMemory memory_;
  std::vector<u64> held_;
  std::vector<u64> out_;
  u64 key_ = 0;
  i64 count_ = 0;
  i64 first_ = 0;
  bool long_ = false;
};

/// Reads the group file back and hands groups to the verifier, members as numbers in the order of
/// preference and sorted by it (large groups stretch by stretch). place: of a candidate; empty: its
/// own.
class GroupReader {
 public:
  GroupReader(const CandidateIndex& index, std::span<const i64> place, GroupVerifier& verifier)
      : index_(&index), place_(place), verifier_(&verifier) {}

  void read(const io::TempFile& file) {
    io::TempReader reader(file, 0, file.size());
    u64 word = 0;
    while (reader.read(&word, sizeof word)) {
      if ((word & 1) != 0) {
        if (stretched_ || isize(members_) >= kBatchMembers) close_all();
        begins_.push_back(isize(members_));
      } else if (isize(members_) - begins_.back() == kStretch) {
        hand_over_stretch();
      }
      const i64 rank = index_->rank(static_cast<i64>(word / 2));
      members_.push_back(place_.empty() ? rank : place_[usize(rank)]);
    }
    close_all();
  }

 private:
  /// With priorities the documents' order is not the members'.
  void sort_groups() {
    if (place_.empty()) return;
    for (std::size_t g = 0; g < begins_.size(); ++g) {
      const i64 end = g + 1 < begins_.size() ? begins_[g + 1] : isize(members_);
      std::sort(members_.begin() + begins_[g], members_.begin() + end);
    }
  }
  /// All groups in members_ are complete.
  void close_all() {
    sort_groups();
    if (stretched_) {
      verifier_->stretch(members_, false);
    } else if (!members_.empty()) {
      begins_.push_back(isize(members_));
      verifier_->whole_groups(begins_, members_);
    }
    members_.clear();
    begins_.clear();
    stretched_ = false;
  }
  /// The last group has outgrown a stretch; the groups before it are complete.
  void hand_over_stretch() {
    sort_groups();
    const i64 begin = begins_.back();
    if (begin > 0) verifier_->whole_groups(begins_, members_);
    verifier_->stretch(std::span(members_).subspan(usize(begin)), !stretched_);
    stretched_ = true;
    members_.clear();
    begins_.assign(1, 0);
  }

  const CandidateIndex* index_;
  std::span<const i64> place_;
  GroupVerifier* verifier_;
  std::vector<i64> members_;
  std::vector<i64> begins_;  // of groups in members_
  bool stretched_ = false;   // members_ goes on a group whose first part was handed over
};

}  // namespace

NearDedup::NearDedup(const Context& ctx, const NearParams& params, const text::Tokenizer* tokenizer)
    : ctx_(&ctx), params_(params), shingler_(params.minhash, tokenizer), signer_(params.minhash) {
  if (!(params.threshold > 0 && params.threshold <= 1)) {
    throw Error(ErrorKind::kUsage,
                cat("a similarity threshold lies between 0 and 1, got ", params.threshold));
  }
  if (params.leaders < 1) {
    throw Error(ErrorKind::kUsage, cat("leaders must be at least 1, got ", params.leaders));
  }
  sorter_ = std::make_unique<ExternalSorter<BandRecord>>(ctx, ctx.memory->available() / 2,
                                                         "the band keys");
  if (params.verify == Verify::kSketch) sketch_file_ = std::make_unique<io::TempFile>(ctx.tmp_dir);
}

NearDedup::Signed NearDedup::sign(std::span<const std::string_view> texts) {
  const i64 bands = params_.minhash.bands;
  const i64 minima = params_.minhash.minima();
  const i64 n = isize(texts);
  const i64 blocks = (n + kDocumentsPerBlock - 1) / kDocumentsPerBlock;
  std::vector<NearStats> counts(usize(blocks));
  sketches_.resize(usize(n * minima));
  Signed out;
  out.keys.resize(usize(n * bands));
  out.empty.resize(usize(n));
  out.faults.resize(usize(n));
  parallel_for(blocks, 1, [&](i64 begin, i64 end) {
    Shingler::Scratch scratch;
    std::vector<u64> shingles;
    for (i64 b = begin; b < end; ++b) {
      for (i64 d = b * kDocumentsPerBlock; d < std::min(n, (b + 1) * kDocumentsPerBlock); ++d) {
        out.faults[usize(d)] =
            text::tokenizer_fault([&] { shingler_.shingles(texts[usize(d)], scratch, shingles); });
        if (out.faults[usize(d)]) continue;
        out.empty[usize(d)] = shingles.empty();
        counts[usize(b)].shingles += isize(shingles);
        const std::span<u32> sketch =
            std::span(sketches_).subspan(usize(d * minima), usize(minima));
        signer_.minima(shingles, sketch);
        signer_.band_keys(sketch, std::span(out.keys).subspan(usize(d * bands), usize(bands)));
      }
      counts[usize(b)].unit_count = scratch.unit_count;
      counts[usize(b)].unit_bytes = scratch.unit_bytes;
      scratch.unit_count = 0;
      scratch.unit_bytes = 0;
    }
  });
  for (const NearStats& c : counts) {
    stats_.shingles += c.shingles;
    stats_.unit_count += c.unit_count;
    stats_.unit_bytes += c.unit_bytes;
  }
  return out;
}

std::vector<std::pair<i64, Fault>> NearDedup::add(std::span<const std::string_view> texts,
                                                  std::span<const u64> priorities) {
  LM_CHECK(sorter_ != nullptr, "documents are added before find_candidates");
  LM_CHECK(priorities.empty() || priorities.size() == texts.size(), "one priority per text");
  const Signed made = sign(texts);
  std::vector<std::pair<i64, Fault>> refused;
  for (i64 d = 0; d < isize(texts); ++d) {
    if (made.faults[usize(d)]) refused.emplace_back(d, *made.faults[usize(d)]);
  }
  std::vector<u64> kept(priorities.begin(), priorities.end());
  const i64 minima = params_.minhash.minima();
  for (auto r = refused.rbegin(); r != refused.rend(); ++r) {
    if (!kept.empty()) kept.erase(kept.begin() + r->first);
    sketches_.erase(sketches_.begin() + r->first * minima,
                    sketches_.begin() + (r->first + 1) * minima);
  }
  if (!priorities.empty()) {
    if (!priority_file_) priority_file_ = std::make_unique<io::TempFile>(ctx_->tmp_dir);
    LM_CHECK(priority_file_->size() == stats_.documents * 8, "priorities for all or none");
    priority_file_->append(kept.data(), isize(kept) * 8);
  }
  const i64 bands = params_.minhash.bands;
  for (i64 d = 0; d < isize(texts); ++d) {
    if (made.faults[usize(d)]) continue;
    const u64 ordinal = static_cast<u64>(stats_.documents++);
    if (made.empty[usize(d)] != 0) {
      ++stats_.without_shingles;
      continue;
    }
    for (i64 band = 0; band < bands; ++band)
      sorter_->add({made.keys[usize(d * bands + band)], ordinal});
  }
  if (sketch_file_) sketch_file_->append(sketches_.data(), isize(sketches_) * 4);
  return refused;
}

void NearDedup::find_candidates() {
  LM_CHECK(sorter_ != nullptr, "find_candidates is called once");
  const std::unique_ptr<ExternalSorter<BandRecord>> sorter = std::move(sorter_);
  group_file_ = std::make_unique<io::TempFile>(ctx_->tmp_dir);
  candidates_ = std::make_unique<CandidateIndex>(*ctx_->memory, stats_.documents);
  read_groups(*sorter);
  stats_.candidates = candidates_->size();
  stats_.spilled_bytes += sorter->spilled_bytes() + group_file_->size();
}

void NearDedup::read_groups(ExternalSorter<BandRecord>& sorter) {
  GroupWriter writer(*group_file_, *candidates_, *ctx_->log, params_.hot, stats_);
  sorter.finish();
  BandRecord record{};
  while (sorter.next(record))
    writer.member(record.key, record.ordinal);
  writer.finish();
  candidates_->seal();
}

bool NearDedup::needs_text(i64 ordinal) const {
  return params_.verify == Verify::kExact && candidates_->contains(ordinal);
}

void NearDedup::add_texts(std::span<const i64> ordinals, std::span<const std::string_view> texts) {
  LM_CHECK(ordinals.size() == texts.size(), "one text per ordinal");
  if (!sets_) {
    sets_ =
        std::make_unique<ShingleStore>(*ctx_, ctx_->memory->available() / 2, candidates_->size());
  }
  std::vector<std::vector<u64>> found(texts.size());
  parallel_for(isize(texts), kDocumentsPerBlock, [&](i64 begin, i64 end) {
    Shingler::Scratch scratch;
    for (i64 i = begin; i < end; ++i) {
      shingler_.shingle_set(texts[usize(i)], scratch, found[usize(i)]);
    }
  });
  for (std::size_t i = 0; i < found.size(); ++i) {
    LM_CHECK(needs_text(ordinals[i]) && candidates_->rank(ordinals[i]) == sets_->size(),
             "texts come in the order of the candidates, none left out");
    sets_->append(found[i]);
  }
}

namespace {

std::unique_ptr<PairJudge> make_judge(const NearParams& params, const io::TempFile* sketches,
                                      const CandidateIndex& index, const ShingleStore* sets,
                                      const std::vector<i64>& order,
                                      const std::vector<i64>& ordinals) {
  if (params.verify == Verify::kNone || index.size() == 0) return no_judge();
  if (params.verify == Verify::kSketch) {
    return sketch_judge(*sketches, ordinals, params.minhash.minima(),
                        params.threshold - params.margin);
  }
  if (sets == nullptr || sets->size() != index.size()) {
    throw Error(ErrorKind::kData,
                cat("the second pass found ", sets == nullptr ? 0 : sets->size(), " of ",
                    index.size(), " candidate documents: the input changed between the passes"));
  }
  return exact_judge(*sets, params.threshold, order);
}

/// The different pairs, ascending by (later, earlier).
class EdgeStream {
 public:
  explicit EdgeStream(ExternalSorter<Edge>& sorter) : sorter_(&sorter) { sorter.finish(); }
  bool next(Edge& edge) {
    while (sorter_->next(edge)) {
      if (edge.later == last_.later && edge.earlier == last_.earlier) continue;
      last_ = edge;
      return true;
    }
    return false;
  }

 private:
  ExternalSorter<Edge>* sorter_;
  Edge last_{-1, -1, 0};
};

/// root [n] and similarity [n] of every candidate; returns the number of different edges.
i64 find_roots(ClusterRule rule, MemoryBudget& budget, EdgeStream& edges, std::vector<i64>& root,
               std::vector<f32>& similarity) {
  const i64 n = isize(root);
  for (i64 i = 0; i < n; ++i)
    root[usize(i)] = i;
  i64 count = 0;
  Edge edge{};
  if (rule == ClusterRule::kLeader) {
    // Edges of one document arrive together and after all edges of earlier documents.
    for (; edges.next(edge); ++count) {
      const bool open = root[usize(edge.later)] == edge.later;
      const bool kept = root[usize(edge.earlier)] == edge.earlier;
      if (!open || !kept) continue;
      root[usize(edge.later)] = edge.earlier;
      similarity[usize(edge.later)] = static_cast<f32>(edge.similarity);
      similarity[usize(edge.earlier)] = 1;
    }
    return count;
  }
  UnionFind sets(budget, n);
  for (; edges.next(edge); ++count) {
    sets.unite(edge.later, edge.earlier);
    for (const i64 id : {edge.later, edge.earlier}) {
      f32& best = similarity[usize(id)];
      best = std::max(best, static_cast<f32>(edge.similarity));
    }
  }
  for (i64 i = 0; i < n; ++i)
    root[usize(i)] = sets.find(i);
  return count;
}

/// Where each element of a permutation stands.
std::vector<i64> inverse(const std::vector<i64>& order) {
  std::vector<i64> place(order.size());
  for (i64 i = 0; i < isize(order); ++i)
    place[usize(order[usize(i)])] = i;
  return place;
}

}  // namespace

/// The candidates, the best first; empty without priorities.
std::vector<i64> NearDedup::preference_order() const {
  if (!priority_file_) return {};
  LM_CHECK(priority_file_->size() == stats_.documents * 8, "priorities for all or none");
  const std::vector<i64> ordinals = candidates_->ordinals();
  std::vector<std::pair<u64, i64>> by_priority(ordinals.size());
  for (i64 i = 0; i < isize(ordinals); ++i) {
    std::pair<u64, i64>& one = by_priority[usize(i)];
    one.second = i;
    if (priority_file_->read_at(&one.first, 8, ordinals[usize(i)] * 8) != 8)
      throw Error(ErrorKind::kIo, "the spill file of priorities ended early");
  }
  std::sort(by_priority.begin(), by_priority.end());
  std::vector<i64> order;
  order.reserve(by_priority.size());
  for (const std::pair<u64, i64>& one : by_priority)
    order.push_back(one.second);
  return order;
}

Clusters NearDedup::cluster() {
  LM_CHECK(candidates_ != nullptr, "find_candidates comes first");
  const i64 n = candidates_->size();
  // order, place, the pairs that are sorted for them, and a copy of order in the judge.
  const MemoryCharge preference(*ctx_->memory, priority_file_ ? n * 5 * 8 : 0,
                                "the preference order");
  const std::vector<i64> order = preference_order();
  const std::vector<i64> place = inverse(order);
  std::vector<i64> ordinals = candidates_->ordinals();
  if (!order.empty()) {
    for (i64 i = 0; const i64 ordinal : candidates_->ordinals())
      ordinals[usize(place[usize(i++)])] = ordinal;
  }
  const std::unique_ptr<PairJudge> judge =
      make_judge(params_, sketch_file_.get(), *candidates_, sets_.get(), order, ordinals);
  ExternalSorter<Edge> sorter(*ctx_, ctx_->memory->available() / 4, "the verified pairs");
  GroupVerifier verifier(*judge, params_.leaders, sorter);
  GroupReader(*candidates_, place, verifier).read(*group_file_);
  stats_.compared = verifier.compared();
  stats_.unlinked = verifier.unlinked();

  const MemoryCharge tables(*ctx_->memory, n * (5 * 8 + 4), "the cluster tables");
  std::vector<i64> root(usize(n));
  std::vector<f32> similarity(usize(n));
  EdgeStream edges(sorter);
  stats_.accepted = find_roots(params_.rule, *ctx_->memory, edges, root, similarity);
  stats_.spilled_bytes += sorter.spilled_bytes() + (sets_ ? sets_->spilled_bytes() : 0);

  std::vector<i64> size(usize(n));
  for (const i64 r : root)
    ++size[usize(r)];
  for (i64 i = 0; i < n; ++i)
    stats_.clustered += size[usize(root[usize(i)])] >= 2;
  Clusters result;
  result.charge = std::make_unique<MemoryCharge>(
      *ctx_->memory, stats_.clustered * static_cast<i64>(sizeof(ClusterMember)), "the clusters");
  result.members.reserve(usize(stats_.clustered));
  std::vector<i64> next_rank(usize(n));
  for (i64 i = 0; i < n; ++i) {
    const i64 r = root[usize(i)];
    if (size[usize(r)] < 2) continue;
    stats_.clusters += r == i;
    result.members.push_back({ordinals[usize(i)], ordinals[usize(r)], size[usize(r)],
                              next_rank[usize(r)]++, similarity[usize(i)]});
  }
  std::sort(result.members.begin(), result.members.end(),
            [](const ClusterMember& a, const ClusterMember& b) { return a.ordinal < b.ordinal; });
  return result;
}

}  // namespace lm::dedup
