#include "dedup/near.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catch.h"
#include "core/context.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"

using namespace lm;
using namespace lm::dedup;

namespace {

struct Corpus {
  std::vector<std::string> texts;
  std::vector<std::string_view> views() const { return {texts.begin(), texts.end()}; }
};

/// Documents in families: a family's copies differ from its original in a share of replaced words.
Corpus families(i64 count, i64 copies, u64 seed, i64 words = 120) {
  const RandomStream random(seed, RandomPurpose::kOther, 1);
  u64 draw = 0;
  Corpus corpus;
  for (i64 f = 0; f < count; ++f) {
    std::vector<u64> original;
    for (i64 w = 0; w < words; ++w)
      original.push_back(random.below(draw++, 5000));
    for (i64 c = 0; c < copies; ++c) {
      const u64 rate = random.below(draw++, 12);  // replaced words per 100
      std::string text;
      for (const u64 word : original) {
        const u64 used =
            random.below(draw++, 100) < rate && c > 0 ? random.below(draw++, 5000) : word;
        append(text, "w", static_cast<char>('a' + used % 26),
               static_cast<char>('a' + used / 26 % 26), static_cast<char>('a' + used / 676), ' ');
      }
      corpus.texts.push_back(text);
    }
  }
  // Deterministic interleaving, so that family members are apart.
  std::vector<std::string> mixed(corpus.texts.size());
  for (i64 i = 0; i < isize(corpus.texts); ++i) {
    mixed[usize(i % copies * count + i / copies)] = corpus.texts[usize(i)];
  }
  corpus.texts = mixed;
  return corpus;
}

std::vector<std::vector<u64>> shingle_sets(const Corpus& corpus, const MinhashParams& params) {
  const Shingler shingler(params);
  Shingler::Scratch scratch;
  std::vector<std::vector<u64>> sets(corpus.texts.size());
  for (std::size_t i = 0; i < sets.size(); ++i) {
    shingler.shingle_set(corpus.texts[i], scratch, sets[i]);
  }
  return sets;
}

struct Run {
  std::vector<ClusterMember> members;
  NearStats stats;
};

Run run(const Corpus& corpus, const NearParams& params, i64 memory = i64{1} << 30,
        i64 batch = 1000) {
  LocalContext ctx(1, memory);
  NearDedup near(*ctx, params);
  const std::vector<std::string_view> views = corpus.views();
  const i64 n = isize(views);
  for (i64 at = 0; at < n; at += batch) {
    near.add(std::span(views).subspan(usize(at), usize(std::min(batch, n - at))));
  }
  near.find_candidates();
  for (i64 at = 0; at < n; at += batch) {
    std::vector<i64> ordinals;
    std::vector<std::string_view> texts;
    for (i64 i = at; i < std::min(n, at + batch); ++i) {
      if (!near.needs_text(i)) continue;
      ordinals.push_back(i);
      texts.push_back(views[usize(i)]);
    }
    if (!ordinals.empty()) near.add_texts(ordinals, texts);
  }
  const Clusters clusters = near.cluster();
  return {clusters.members, near.stats()};
}

bool same(const std::vector<ClusterMember>& a, const std::vector<ClusterMember>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ClusterMember& x, const ClusterMember& y) {
                      return x.ordinal == y.ordinal && x.root == y.root && x.size == y.size &&
                             x.rank == y.rank && x.similarity == y.similarity;
                    });
}

}  // namespace

TEST_CASE("with leader clustering every removed document is similar to a kept one", "[dedup]") {
  const Corpus corpus = families(80, 8, 1);
  NearParams params;
  params.rule = ClusterRule::kLeader;
  const Run result = run(corpus, params);
  const std::vector<std::vector<u64>> sets = shingle_sets(corpus, params.minhash);
  std::set<i64> removed;
  for (const ClusterMember& m : result.members) {
    if (m.rank > 0) removed.insert(m.ordinal);
  }
  CHECK(removed.size() > 100);
  for (const ClusterMember& m : result.members) {
    if (m.rank == 0) continue;
    const f64 j = jaccard(sets[usize(m.ordinal)], sets[usize(m.root)]);
    REQUIRE(j >= 0.8);
    REQUIRE(m.similarity == static_cast<f32>(j));
    REQUIRE(removed.count(m.root) == 0);
    REQUIRE(m.root < m.ordinal);
  }
}

TEST_CASE("components hold only documents with a verified neighbour, and nearly all pairs",
          "[dedup]") {
  const Corpus corpus = families(150, 8, 2);
  const NearParams params;
  const Run result = run(corpus, params);
  const std::vector<std::vector<u64>> sets = shingle_sets(corpus, params.minhash);
  std::map<i64, i64> root;
  for (const ClusterMember& m : result.members)
    root[m.ordinal] = m.root;
  // Precision 1: a member has a neighbour of J >= 0.8 in its own cluster, at the stated similarity.
  for (const ClusterMember& m : result.members) {
    bool justified = false;
    for (const ClusterMember& o : result.members) {
      if (o.root != m.root || o.ordinal == m.ordinal) continue;
      const f64 j = jaccard(sets[usize(m.ordinal)], sets[usize(o.ordinal)]);
      justified = justified || (j >= 0.8 && static_cast<f32>(j) == m.similarity);
    }
    REQUIRE(justified);
  }
  // Recall over all pairs with J >= 0.85, by brute force.
  i64 pairs = 0;
  i64 found = 0;
  for (i64 a = 0; a < isize(sets); ++a) {
    for (i64 b = a + 1; b < isize(sets); ++b) {
      if (jaccard(sets[usize(a)], sets[usize(b)]) < 0.85) continue;
      ++pairs;
      found += root.count(a) == 1 && root.count(b) == 1 && root[a] == root[b];
    }
  }
  CHECK(pairs > 200);
  CHECK(static_cast<f64>(found) >= 0.98 * static_cast<f64>(pairs));
}

TEST_CASE("clusters do not depend on threads, batches or memory", "[dedup]") {
  const Corpus corpus = families(200, 6, 3);
  for (const Verify verify : {Verify::kExact, Verify::kSketch, Verify::kNone}) {
    NearParams params;
    params.verify = verify;
    const Run expected = run(corpus, params);
    CHECK(expected.members.size() > 100);
    for (const int threads : {1, 2, 7}) {
      set_threads(threads);
      // 700 KiB: band keys (1200 * 14 * 16 bytes), shingle sets and edges all go to disk.
      const Run tight = run(corpus, params, 700 << 10, 37);
      CHECK(same(tight.members, expected.members));
      if (verify == Verify::kExact) CHECK(tight.stats.spilled_bytes > expected.stats.spilled_bytes);
    }
    set_threads(1);
  }
}

TEST_CASE("sketch verification agrees with the exact one up to its deviation", "[dedup]") {
  const Corpus corpus = families(100, 6, 4);
  NearParams params;
  params.verify = Verify::kSketch;
  params.rule = ClusterRule::kLeader;
  const Run result = run(corpus, params);
  const std::vector<std::vector<u64>> sets = shingle_sets(corpus, params.minhash);
  CHECK(result.members.size() > 50);
  for (const ClusterMember& m : result.members) {
    if (m.rank == 0) continue;
    const f64 j = jaccard(sets[usize(m.ordinal)], sets[usize(m.root)]);
    // sqrt(0.8 * 0.2 / 112) = 0.038; five deviations.
    REQUIRE(std::abs(j - static_cast<f64>(m.similarity)) < 0.19);
  }
}

TEST_CASE("equal documents make one cluster whose first is kept", "[dedup]") {
  Corpus corpus;
  for (i64 i = 0; i < 9; ++i)
    corpus.texts.push_back(i % 3 == 1 ? "the same five words here"
                                      : cat("only ", i, i % 3 == 0 ? " apples" : " pears",
                                            " in text x", static_cast<char>('a' + i)));
  const Run result = run(corpus, NearParams{});
  REQUIRE(result.members.size() == 3);
  const std::vector<i64> ordinals = {1, 4, 7};
  for (i64 i = 0; i < 3; ++i) {
    const ClusterMember& m = result.members[usize(i)];
    CHECK(m.ordinal == ordinals[usize(i)]);
    CHECK(m.root == 1);
    CHECK(m.size == 3);
    CHECK(m.rank == i);
    CHECK(m.similarity == 1.0f);
  }
  CHECK(result.stats.clusters == 1);
  CHECK(result.stats.groups == 1);  // fourteen bands give the same group once
}

TEST_CASE("documents without shingles are never clustered", "[dedup]") {
  Corpus corpus;
  corpus.texts = {"", "...", "", "!?", "one", "One."};
  const Run result = run(corpus, NearParams{});
  CHECK(result.stats.without_shingles == 4);
  REQUIRE(result.members.size() == 2);
  CHECK(result.members[0].ordinal == 4);
  CHECK(result.members[1].ordinal == 5);
}

TEST_CASE("no documents give no clusters", "[dedup]") {
  CHECK(run(Corpus{}, NearParams{}).members.empty());
  Corpus one;
  one.texts = {"a single document"};
  CHECK(run(one, NearParams{}).members.empty());
}

TEST_CASE("a group larger than a stretch is one cluster and is reported as hot", "[dedup]") {
  Corpus corpus;
  for (i64 i = 0; i < 9001; ++i) {
    corpus.texts.push_back(i == 4500 ? "another text of its own" : "the very same template text");
  }
  NearParams params;
  params.hot = 5000;
  for (const int threads : {1, 7}) {
    set_threads(threads);
    const Run result = run(corpus, params);
    CHECK(result.members.size() == 9000);
    CHECK(result.stats.clusters == 1);
    CHECK(result.stats.hot_groups == 14);
    CHECK(result.members.back().rank == 8999);
  }
  set_threads(1);
}

TEST_CASE("members beyond the leaders stay unlinked and are counted", "[dedup]") {
  // Verification at 1 accepts equal sets only; each text is in the band groups of a common
  // majority.
  Corpus corpus = families(1, 40, 6, 300);
  NearParams params;
  params.threshold = 1;
  params.leaders = 2;
  const Run few = run(corpus, params);
  CHECK(few.stats.unlinked > 0);
  params.leaders = 1000;
  CHECK(run(corpus, params).stats.unlinked == 0);
}

TEST_CASE("the stretch path gives what one member at a time would give", "[dedup]") {
  // 9000 near copies of one text: several leaders, groups beyond 4096 members.
  Corpus corpus;
  const RandomStream random(11, RandomPurpose::kOther);
  for (u64 i = 0; i < 9000; ++i) {
    std::string text = "common words that all of these many documents share with each other";
    append(text, " tail", static_cast<char>('a' + random.below(i, 20)));
    corpus.texts.push_back(text);
  }
  NearParams params;
  params.minhash.n = 2;
  params.minhash.bands = 2;
  params.minhash.rows = 1;
  params.threshold = 0.95;  // one of 13 shingles differs: J = 11/13 < 0.95
  params.leaders = 30;
  const Run result = run(corpus, params);
  std::map<std::string, i64> first;
  for (i64 i = 0; i < 9000; ++i)
    first.emplace(corpus.texts[usize(i)], i);
  REQUIRE(result.members.size() == 9000);
  bool right = true;
  for (const ClusterMember& m : result.members) {
    right = right && m.root == first[corpus.texts[usize(m.ordinal)]];
  }
  CHECK(right);
  CHECK(result.stats.clusters == 20);
}

TEST_CASE("a text that is missing in the second pass is a data error", "[dedup]") {
  LocalContext ctx;
  NearDedup near(*ctx, NearParams{});
  const std::vector<std::string_view> texts = {"a b c d e f", "a b c d e f"};
  near.add(texts);
  near.find_candidates();
  REQUIRE(near.needs_text(1));
  const std::vector<i64> ordinals = {0};
  near.add_texts(ordinals, std::span(texts).first(1));
  CHECK_THROWS_AS(near.cluster(), Error);
}

TEST_CASE("union-find keeps the smallest element as the root", "[dedup]") {
  LocalContext ctx;
  UnionFind sets(*ctx->memory, 6);
  sets.unite(5, 3);
  sets.unite(4, 5);
  sets.unite(1, 4);
  CHECK(sets.find(5) == 1);
  CHECK(sets.find(3) == 1);
  CHECK(sets.find(0) == 0);
  CHECK(sets.find(2) == 2);
}

TEST_CASE("a candidate index ranks what it contains", "[dedup]") {
  LocalContext ctx;
  CandidateIndex index(*ctx->memory, 5000);
  const std::vector<i64> inside = {0, 63, 64, 511, 512, 1023, 4999};
  for (const i64 ordinal : inside)
    index.insert(ordinal);
  index.seal();
  CHECK(index.size() == isize(inside));
  CHECK(index.ordinals() == inside);
  for (i64 i = 0; i < isize(inside); ++i)
    CHECK(index.rank(inside[usize(i)]) == i);
  CHECK_FALSE(index.contains(1));
}

namespace {

Run run_preferring(const Corpus& corpus, const NearParams& params,
                   const std::vector<u64>& priorities) {
  LocalContext ctx(1, i64{1} << 30);
  NearDedup near(*ctx, params);
  const std::vector<std::string_view> views = corpus.views();
  near.add(views, priorities);
  near.find_candidates();
  std::vector<i64> ordinals;
  std::vector<std::string_view> texts;
  for (i64 i = 0; i < isize(views); ++i) {
    if (!near.needs_text(i)) continue;
    ordinals.push_back(i);
    texts.push_back(views[usize(i)]);
  }
  if (params.verify == Verify::kExact) near.add_texts(ordinals, texts);
  Clusters clusters = near.cluster();
  return {clusters.members, near.stats()};
}

}  // namespace

TEST_CASE("the document with the lowest priority is a cluster's root", "[dedup]") {
  const Corpus corpus = families(60, 6, 21);
  std::vector<u64> priorities;
  for (u64 i = 0; i < corpus.texts.size(); ++i)
    priorities.push_back(mix64(i) % 4);  // with ties
  NearParams params;
  const std::vector<std::vector<u64>> sets = shingle_sets(corpus, params.minhash);
  for (const ClusterRule rule : {ClusterRule::kComponents, ClusterRule::kLeader}) {
    params.rule = rule;
    const Run got = run_preferring(corpus, params, priorities);
    REQUIRE(got.members.size() > 100);
    std::map<i64, std::vector<ClusterMember>> clusters;
    i64 last = -1;
    for (const ClusterMember& m : got.members) {
      REQUIRE(m.ordinal > last);
      last = m.ordinal;
      clusters[m.root].push_back(m);
      if (rule == ClusterRule::kLeader && m.ordinal != m.root) {
        const f64 j = jaccard(sets[usize(m.ordinal)], sets[usize(m.root)]);
        REQUIRE(j >= params.threshold);
        REQUIRE(m.similarity == static_cast<f32>(j));
      }
    }
    for (auto& [root, members] : clusters) {
      const auto better = [&](const ClusterMember& a, const ClusterMember& b) {
        return std::pair(priorities[usize(a.ordinal)], a.ordinal) <
               std::pair(priorities[usize(b.ordinal)], b.ordinal);
      };
      std::sort(members.begin(), members.end(), better);
      REQUIRE(members[0].ordinal == root);
      for (i64 i = 0; i < isize(members); ++i)
        REQUIRE(members[usize(i)].rank == i);
    }
  }
}

TEST_CASE("equal priorities are none, also in a group of many thousands", "[dedup]") {
  Corpus corpus = families(20, 5, 22);
  for (i64 i = 0; i < 9000; ++i)
    corpus.texts.push_back("the same six words every time");
  NearParams params;
  params.verify = Verify::kSketch;
  const std::vector<u64> equal(corpus.texts.size(), 7);
  const Run plain = run_preferring(corpus, params, {});
  const Run same = run_preferring(corpus, params, equal);
  REQUIRE(plain.members.size() == same.members.size());
  for (std::size_t i = 0; i < plain.members.size(); ++i) {
    REQUIRE(plain.members[i].ordinal == same.members[i].ordinal);
    REQUIRE(plain.members[i].root == same.members[i].root);
    REQUIRE(plain.members[i].rank == same.members[i].rank);
  }
  std::vector<u64> last_best = equal;
  last_best.back() = 1;
  const Run other = run_preferring(corpus, params, last_best);
  CHECK(other.members.back().root == isize(corpus.texts) - 1);
  CHECK(other.members.back().rank == 0);
  CHECK(other.members.back().size == 9000);
}
