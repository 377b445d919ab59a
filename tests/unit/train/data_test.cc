#include "train/data.h"

#include <map>
#include <set>

#include "catch.h"
#include "tiny.h"

using namespace lm;
using train::Permutation;
using train::SequenceBatch;
using train::ShardSource;
using train::StreamPacker;

TEST_CASE("a permutation visits every index once, whatever the size", "[train]") {
  for (const u64 n : {1, 2, 3, 5, 64, 65, 1000, 4097}) {
    for (const u64 stream : {0, 1}) {
      const Permutation order(n, 7, stream);
      std::set<u64> seen;
      for (u64 i = 0; i < n; ++i) {
        CHECK(order(i) < n);
        seen.insert(order(i));
      }
      CHECK(seen.size() == n);
    }
  }
  const Permutation a(1000, 7, 0), b(1000, 7, 1), c(1000, 8, 0);
  i64 same_stream = 0, same_seed = 0;
  for (u64 i = 0; i < 1000; ++i) {
    same_stream += a(i) == b(i);
    same_seed += a(i) == c(i);
  }
  CHECK(same_stream < 10);  // expected 1
  CHECK(same_seed < 10);
}

TEST_CASE("an epoch of shards shows every sequence once and the position resumes it", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("a"), {10, 7, 30});  // 47 tokens: (47-1)/8 = 5 sequences
  test::write_shards(dir.file("b"), {25});         // 3 sequences
  const std::vector<std::string> names = {dir.file("a.json"), dir.file("b.json")};
  const auto make = [&] {
    return ShardSource(names, {.seq_len = 8, .seed = 3, .shuffle = true, .weights = {}});
  };
  ShardSource source = make();
  CHECK(source.samples_per_epoch() == 8);
  SequenceBatch all;
  source.next(16, all);
  std::multiset<std::vector<i32>> first, second;
  for (i64 i = 0; i < 16; ++i) {
    const std::span<const i32> s = all.sequence(i);
    (i < 8 ? first : second).insert(std::vector<i32>(s.begin(), s.end()));
  }
  CHECK(first == second);
  CHECK(source.position().samples == 16);
  CHECK(all.tokens != [&] {
    SequenceBatch plain;
    ShardSource(names, {.seq_len = 8, .seed = 3, .shuffle = false, .weights = {}}).next(16, plain);
    return plain.tokens;
  }());
  ShardSource head = make(), tail = make();
  SequenceBatch parts;
  head.next(5, parts);
  tail.seek(head.position());
  tail.next(11, parts);
  CHECK(parts.tokens == all.tokens);
}

TEST_CASE("sequential order overlaps by one token and marks document starts", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("a"), {3, 5, 1, 8});
  ShardSource source({dir.file("a")},
                     {.seq_len = 4, .shuffle = false, .boundaries = true, .weights = {}});
  SequenceBatch batch;
  source.next(4, batch);
  const std::vector<i32> tokens = test::formula_tokens(17);
  for (i64 s = 0; s < 4; ++s)
    for (i64 i = 0; i <= 4; ++i)
      CHECK(batch.sequence(s)[usize(i)] == tokens[usize(4 * s + i)]);
  // Documents begin at 0, 3, 8, 9: windows [0,4], [4,8], [8,12], [12,16].
  CHECK(batch.starts[0] == std::vector<i32>{3});
  CHECK(batch.starts[1] == std::vector<i32>{4});
  CHECK(batch.starts[2] == std::vector<i32>{1});
  CHECK(batch.starts[3].empty());
}

TEST_CASE("weights draw the sets in their shares", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("a"), {401});
  test::write_shards(dir.file("b"), {41});
  const train::ShardSourceOptions options{.seq_len = 4, .seed = 1, .weights = {3, 1}};
  ShardSource source({dir.file("a"), dir.file("b")}, options);
  SequenceBatch batch;
  source.next(2000, batch);
  // Binomial(2000, 1/4): mean 500, standard deviation 19.4.
  CHECK(std::abs(source.position().by_set[1] - 500) < 100);
  ShardSource again({dir.file("a"), dir.file("b")}, options);
  SequenceBatch parts;
  again.next(777, parts);
  ShardSource rest({dir.file("a"), dir.file("b")}, options);
  rest.seek(again.position());
  rest.next(1223, parts);
  CHECK(parts.tokens == batch.tokens);
  CHECK_THROWS_AS(ShardSource({dir.file("a")}, options), Error);
  CHECK_THROWS_AS(rest.seek({5, {1, 1}}), Error);
}

TEST_CASE("bad shards are refused with their names", "[train]") {
  const test::TempDir dir;
  const train::ShardSourceOptions options{.seq_len = 8, .weights = {}};
  CHECK_THROWS_WITH(ShardSource({dir.file("none")}, options),
                    Catch::Matchers::ContainsSubstring("none.json"));
  test::write_shards(dir.file("short"), {8});
  CHECK_THROWS_WITH(ShardSource({dir.file("short")}, options),
                    Catch::Matchers::ContainsSubstring("8 tokens, expected at least 9"));
  test::write_shards(dir.file("cut"), {100});
  std::filesystem::resize_file(dir.file("cut-00000.bin"), 150);
  CHECK_THROWS_WITH(ShardSource({dir.file("cut")}, options),
                    Catch::Matchers::ContainsSubstring("cut-00000.bin"));
}

TEST_CASE("a stream packs as shards do, wherever it is resumed", "[train]") {
  const std::vector<i64> lengths = {3, 5, 0, 1, 8, 20, 2, 2, 30, 1};
  std::vector<std::vector<i32>> documents;
  i64 total = 0;
  for (const i64 n : lengths)
    total += n;
  const std::vector<i32> tokens = test::formula_tokens(total);
  i64 at = 0;
  for (const i64 n : lengths) {
    documents.emplace_back(tokens.begin() + at, tokens.begin() + at + n);
    at += n;
  }
  StreamPacker whole(4, true, {});
  for (const std::vector<i32>& d : documents)
    whole.push(d);
  REQUIRE(whole.ready() == (total - 1) / 4);
  SequenceBatch all;
  whole.take(whole.ready(), all);
  CHECK(all.starts[0] == std::vector<i32>{3});
  CHECK(all.starts[1] == std::vector<i32>{4});
  CHECK(all.starts[2] == std::vector<i32>{1});
  for (i64 cut = 0; cut <= all.count(); ++cut) {
    StreamPacker head(4, true, {});
    SequenceBatch parts;
    for (const std::vector<i32>& d : documents) {
      head.push(d);
      const i64 want = std::min(head.ready(), cut - parts.count());
      if (want > 0) head.take(want, parts);
    }
    StreamPacker tail(4, true, head.position());
    for (const std::vector<i32>& d : documents)
      tail.push(d);
    tail.take(tail.ready(), parts);
    CHECK(parts.tokens == all.tokens);
    CHECK(parts.starts == all.starts);
  }
}

TEST_CASE("document masks cut spans, positions and targets", "[train]") {
  SequenceBatch batch;
  batch.seq_len = 4;
  batch.tokens = {10, 11, 12, 13, 14, 20, 21, 22, 23, 24};
  batch.starts = {{2}, {4}};
  train::MicroBatch plain(2, 4, false), masked(2, 4, true);
  plain.fill(batch, 0);
  CHECK(plain.target_count == 8);
  CHECK(plain.targets == std::vector<i32>{11, 12, 13, 14, 21, 22, 23, 24});
  CHECK(plain.rows.positions == std::vector<i32>{0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(plain.rows.spans[7].a0 == 4);
  CHECK(plain.rows.spans[7].a1 == 8);
  masked.fill(batch, 0);
  CHECK(masked.target_count == 6);
  CHECK(masked.targets == std::vector<i32>{11, -100, 13, 14, 21, 22, 23, -100});
  CHECK(masked.rows.positions == std::vector<i32>{0, 1, 0, 1, 0, 1, 2, 3});
  CHECK(masked.rows.spans[3].a0 == 2);
  CHECK(masked.rows.spans[3].a1 == 4);
  plain.fill(batch, 1);  // one sequence is there, the other rows are empty
  CHECK(plain.target_count == 4);
  CHECK(plain.targets[4] == -100);
  CHECK(plain.rows.spans[4].a1 == plain.rows.spans[4].a0);
}
