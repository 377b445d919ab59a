#pragma once
// Near-duplicate documents on one machine: sign, sort band keys, verify candidates, cluster.
//
//   NearDedup near(ctx, params);
//   near.add(texts);                      // pass 1 over all documents, in order
//   near.find_candidates();
//   near.add_texts(ordinals, texts);      // pass 2, exact verification only: where needs_text()
//   says so Clusters clusters = near.cluster();
//
// Documents are numbered from 0 in the order they were added. What grows with the input is charged
// to the memory budget or spilled to temporary files. The clusters are a function of the texts and
// the parameters alone: not of threads, batches or memory. Thread rule: one caller; the work inside
// is parallel. Sources: Broder 1997; verification and leaders: see README.md.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/context.h"
#include "core/result.h"
#include "dedup/external_sort.h"
#include "dedup/minhash.h"
#include "dedup/near_sets.h"

namespace lm::dedup {

/// What a candidate pair must pass.
enum class Verify : u8 {
  kNone,    // sharing a band is enough
  kSketch,  // share of equal minima; standard deviation sqrt(J (1 - J) / K)
  kExact,   // Jaccard similarity of the shingle sets
};

enum class ClusterRule : u8 {
  kComponents,  // connected components of the verified pairs; the first document is kept
  kLeader,      // a document goes only if it was verified against one that is kept
};

struct NearParams {
  MinhashParams minhash;
  Verify verify = Verify::kExact;
  ClusterRule rule = ClusterRule::kComponents;
  f64 threshold = 0.8;
  f64 margin = 0;     // of the sketch estimate: accepted at threshold - margin
  i64 leaders = 16;   // a member of a band's group is compared with at most this many
  i64 hot = 1000000;  // larger groups are logged
};

/// One document that has near duplicates.
struct ClusterMember {
  i64 ordinal = 0;
  i64 root = 0;        // ordinal of the document that is kept: the least (priority, ordinal)
  i64 size = 0;        // documents in the cluster
  i64 rank = 0;        // 0 for the root, then by (priority, ordinal)
  f32 similarity = 0;  // components: highest of its verified pairs; leader: to the root (root: 1)
};

struct NearStats {
  i64 documents = 0;
  i64 without_shingles = 0;  // never clustered
  i64 shingles = 0;          // with repeats
  i64 unit_count = 0;
  i64 unit_bytes = 0;  // of normalised text; mean unit length = unit_bytes / unit_count
  i64 groups = 0;      // different sets of documents that share a band key
  i64 hot_groups = 0;
  i64 candidates = 0;  // documents in some group
  i64 compared = 0;    // pairs looked at, repeats over bands included
  i64 accepted = 0;    // different pairs that passed
  i64 unlinked = 0;    // members that matched no leader when no leader could be added
  i64 clusters = 0;
  i64 clustered = 0;  // documents in them
  i64 spilled_bytes = 0;
};

/// Ascending by ordinal; only clusters of two or more. Its memory stays charged while it lives.
struct Clusters {
  std::vector<ClusterMember> members;
  std::unique_ptr<MemoryCharge> charge;
};

class NearDedup {
 public:
  /// Uses what ctx.memory has left. tokenizer: for token shingles. Throws Error{kUsage}.
  NearDedup(const Context& ctx, const NearParams& params,
            const text::Tokenizer* tokenizer = nullptr);

  /// The next texts in document order. priorities: of each text, the lowest of a cluster is kept;
  /// empty in every call: the first is. Returns the texts (indices, ascending) that the tokenizer
  /// gives up on and why: they are no documents. Throws Error{kIo, kCannotCreate, kOs}.
  std::vector<std::pair<i64, Fault>> add(std::span<const std::string_view> texts,
                                         std::span<const u64> priorities = {});
  /// Ends the adding: sorts the band keys and keeps the groups of two or more.
  void find_candidates();
  /// True if add_texts() must be given this document (exact verification of a candidate).
  bool needs_text(i64 ordinal) const;
  /// Texts of documents that need it; ordinals ascending over all calls, none left out.
  void add_texts(std::span<const i64> ordinals, std::span<const std::string_view> texts);
  /// Verifies, unites, and returns the clusters. Error{kData} if a text is missing.
  Clusters cluster();

  const NearStats& stats() const { return stats_; }

 private:
  struct BandRecord {
    u64 key;
    u64 ordinal;
    auto operator<=>(const BandRecord&) const = default;  // NOLINT: no pointer, clang-tidy 14
  };

  struct Signed {
    std::vector<u64> keys;                     // per text and band
    std::vector<u8> empty;                     // per text: it has no shingles
    std::vector<std::optional<Fault>> faults;  // per text
  };
  Signed sign(std::span<const std::string_view> texts);
  void read_groups(ExternalSorter<BandRecord>& sorter);
  std::vector<i64> preference_order() const;

  const Context* ctx_;
  NearParams params_;
  Shingler shingler_;
  Signer signer_;
  NearStats stats_;
  std::vector<u32> sketches_;  // of one batch
  std::unique_ptr<ExternalSorter<BandRecord>> sorter_;
  std::unique_ptr<io::TempFile> sketch_file_;
  std::unique_ptr<io::TempFile> priority_file_;  // u64 per document
  std::unique_ptr<io::TempFile>
      group_file_;  // u64 per member: ordinal * 2 + (1 if it opens a group)
  std::unique_ptr<CandidateIndex> candidates_;
  std::unique_ptr<ShingleStore> sets_;
};

}  // namespace lm::dedup
