#include "train/data.h"

#include <map>
#include <set>
#include <tuple>

#include "catch.h"
#include "tiny.h"
#include "train/document_source.h"
#include "train/packed_source.h"

using namespace lm;
using train::Examples;
using train::Permutation;
using train::ShardSource;
using train::StreamPacker;

namespace {

bool same(const Examples& a, const Examples& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.tokens == y.tokens && x.starts == y.starts;
  });
}

}  // namespace

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
  Examples all;
  source.next(16, all);
  std::multiset<std::vector<i32>> first, second;
  for (i64 i = 0; i < 16; ++i) {
    (i < 8 ? first : second).insert(all[usize(i)].tokens);
  }
  CHECK(first == second);
  CHECK(source.position().samples == 16);
  CHECK_FALSE(same(all, [&] {
    Examples plain;
    ShardSource(names, {.seq_len = 8, .seed = 3, .shuffle = false, .weights = {}}).next(16, plain);
    return plain;
  }()));
  ShardSource head = make(), tail = make();
  Examples parts;
  head.next(5, parts);
  tail.seek(head.position());
  tail.next(11, parts);
  CHECK(same(parts, all));
}

TEST_CASE("sequential order overlaps by one token and marks document starts", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("a"), {3, 5, 1, 8});
  ShardSource source({dir.file("a")},
                     {.seq_len = 4, .shuffle = false, .boundaries = true, .weights = {}});
  Examples batch;
  source.next(4, batch);
  const std::vector<i32> tokens = test::formula_tokens(17);
  for (i64 s = 0; s < 4; ++s)
    for (i64 i = 0; i <= 4; ++i)
      CHECK(batch[usize(s)].tokens[usize(i)] == tokens[usize(4 * s + i)]);
  // Documents begin at 0, 3, 8, 9: windows [0,4], [4,8], [8,12], [12,16].
  CHECK(batch[0].starts == std::vector<i32>{3});
  CHECK(batch[1].starts == std::vector<i32>{4});
  CHECK(batch[2].starts == std::vector<i32>{1});
  CHECK(batch[3].starts.empty());
}

TEST_CASE("weights draw the sets in their shares", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("a"), {401});
  test::write_shards(dir.file("b"), {41});
  const train::ShardSourceOptions options{.seq_len = 4, .seed = 1, .weights = {3, 1}};
  ShardSource source({dir.file("a"), dir.file("b")}, options);
  Examples batch;
  source.next(2000, batch);
  // Binomial(2000, 1/4): mean 500, standard deviation 19.4.
  CHECK(std::abs(source.position().by_set[1] - 500) < 100);
  ShardSource again({dir.file("a"), dir.file("b")}, options);
  Examples parts;
  again.next(777, parts);
  ShardSource rest({dir.file("a"), dir.file("b")}, options);
  rest.seek(again.position());
  rest.next(1223, parts);
  CHECK(same(parts, batch));
  rest.seek({});  // where a new run begins
  Examples first;
  rest.next(2000, first);
  CHECK(same(first, batch));
  CHECK_THROWS_AS(ShardSource({dir.file("a")}, options), Error);
  CHECK_THROWS_AS(rest.seek({5, {1, 1}}), Error);
}

TEST_CASE("documents are dealt to the shortest stream and every row goes on in its own",
          "[train]") {
  const test::TempDir dir;
  // To two streams: 7 | 3, then 5 to the second (8), 4 to the first (11), 6 to the second (14), 9
  // to the first (20).
  test::write_shards(dir.file("a"), {7, 3, 5, 0, 4});
  test::write_shards(dir.file("b"), {6, 9});
  const std::vector<i32> a = test::formula_tokens(19), b = test::formula_tokens(15);
  std::vector<i32> streams[2];
  const auto put = [](std::vector<i32>& to, const std::vector<i32>& from, i64 begin, i64 count) {
    to.insert(to.end(), from.begin() + begin, from.begin() + begin + count);
  };
  put(streams[0], a, 0, 7);
  put(streams[0], a, 15, 4);
  put(streams[0], b, 6, 9);
  put(streams[1], a, 7, 8);
  put(streams[1], b, 0, 6);
  const std::vector<std::string> names = {dir.file("a"), dir.file("b")};
  const train::ShardSourceOptions options{
      .seq_len = 4, .seed = 1, .boundaries = true, .streams = 2, .weights = {}};
  ShardSource source(names, options);
  CHECK(source.samples_per_epoch() == 6);  // the shorter has 14 tokens: three sequences
  Examples all;
  source.next(12, all);
  for (i64 i = 0; i < 12; ++i) {
    const std::vector<i32>& stream = streams[i % 2];
    const i64 begin = i / 2 % 3 * 4;
    INFO("sample " << i);
    CHECK(all[usize(i)].tokens ==
          std::vector<i32>(stream.begin() + begin, stream.begin() + begin + 5));
    if (i >= 2 && i < 6) CHECK(all[usize(i)].tokens[0] == all[usize(i - 2)].tokens[4]);
  }
  CHECK(all[0].starts.empty());
  CHECK(all[2].starts == std::vector<i32>{3});  // 4 at token 7 of [4, 8]
  CHECK(all[4].starts == std::vector<i32>{3});  // 9 at token 11 of [8, 12]
  CHECK(all[1].starts == std::vector<i32>{3});  // 5 at token 3 of [0, 4]
  CHECK(all[3].starts == std::vector<i32>{4});  // 6 at token 8 of [4, 8]
  CHECK(all[5].starts.empty());                 // ... where [8, 12] begins
  Examples parts;
  ShardSource head(names, options), tail(names, options);
  head.next(5, parts);
  tail.seek(head.position());
  tail.next(7, parts);
  CHECK(same(parts, all));
  CHECK_THROWS_WITH(ShardSource(names, {.seq_len = 4, .streams = 7, .weights = {}}),
                    Catch::Matchers::ContainsSubstring("dealt to 7 streams"));
  CHECK_THROWS_AS(ShardSource(names, {.seq_len = 4, .streams = 2, .weights = {1, 1}}), Error);
}

TEST_CASE("whole documents come once an epoch, changed as asked, and the position resumes them",
          "[train]") {
  const test::TempDir dir;
  // Of one document: as many tokens as its number, all of them 10 + its number.
  text::TokenizerIdentity identity;
  identity.name = "numbers";
  identity.sha256 = std::string(64, '0');
  identity.vocab_size = 64;
  for (const auto& [name, from, to] : {std::tuple("a", 1, 4), std::tuple("b", 4, 9)}) {
    text::ShardWriter writer(dir.file(name), identity, text::ShardOptions{});
    for (i32 d = from; d < to; ++d)
      writer.add(std::vector<i32>(usize(d), 10 + d));
    writer.commit();
  }
  std::vector<text::ShardSet> sets;
  sets.emplace_back(dir.file("a.json"));
  sets.emplace_back(dir.file("b.json"));
  train::DocumentSource::Options options{.seq_len = 4, .seed = 5, .boundaries = true, .change = {}};
  train::DocumentSource source(sets, options);
  Examples all;
  source.next(45, all);  // 36 tokens an epoch: 180 are five of them
  std::vector<std::vector<i32>> orders;
  std::vector<i32> order;
  i64 at = 0;
  const auto token = [&](i64 i) { return all[usize(i / 4)].tokens[usize(i % 4)]; };
  while (at < 180) {
    const i32 document = token(at);
    order.push_back(document);
    for (i64 end = at + document - 10; at < end; ++at)
      CHECK(token(at) == document);
    if (order.size() < 8) continue;
    orders.push_back(order);
    CHECK(std::set<i32>(order.begin(), order.end()).size() == 8);
    order.clear();
  }
  CHECK(orders.size() == 5);
  CHECK(std::set<std::vector<i32>>(orders.begin(), orders.end()).size() == 5);
  for (i64 cut = 0; cut <= 45; cut += 3) {
    train::DocumentSource head(sets, options), tail(sets, options);
    Examples parts;
    head.next(cut, parts);
    tail.seek(head.position());
    tail.next(45 - cut, parts);
    CHECK(same(parts, all));
  }
  // A change that changes nothing is none; what it makes is what comes, by number and epoch.
  train::DocumentSource::Options changed = options;
  changed.change = [](i64, i64, std::vector<i32>&) {};
  Examples same_again;
  train::DocumentSource(sets, changed).next(45, same_again);
  CHECK(same(same_again, all));
  std::vector<std::pair<i64, i64>> seen;
  changed.change = [&](i64 number, i64 epoch, std::vector<i32>& ids) {
    CHECK(isize(ids) == number + 1);
    seen.emplace_back(epoch, number);
    ids = {static_cast<i32>(number), static_cast<i32>(epoch)};
  };
  Examples twos;
  train::DocumentSource(sets, changed).next(8, twos);  // 32 tokens and a target: 17 documents
  CHECK(seen.size() == 17);
  CHECK(seen[0].first == 0);
  CHECK(seen[8].first == 1);
  CHECK(seen[16].first == 2);
  CHECK(twos[4].tokens[1] == 1);
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
  Examples all;
  whole.take(whole.ready(), all);
  CHECK(all[0].starts == std::vector<i32>{3});
  CHECK(all[1].starts == std::vector<i32>{4});
  CHECK(all[2].starts == std::vector<i32>{1});
  for (i64 cut = 0; cut <= isize(all); ++cut) {
    StreamPacker head(4, true, {});
    Examples parts;
    for (const std::vector<i32>& d : documents) {
      head.push(d);
      const i64 want = std::min(head.ready(), cut - isize(parts));
      if (want > 0) head.take(want, parts);
    }
    StreamPacker tail(4, true, head.position());
    for (const std::vector<i32>& d : documents)
      tail.push(d);
    tail.take(tail.ready(), parts);
    CHECK(same(parts, all));
  }
}

TEST_CASE("records are packed whole, each once an epoch, and the position resumes it", "[train]") {
  const std::vector<i64> lengths = {3, 5, 2, 9, 4, 4, 2};
  train::RecordStore store;
  for (i64 i = 0; i < isize(lengths); ++i) {
    const std::vector<i32> tokens(usize(lengths[usize(i)]), static_cast<i32>(i + 1));
    std::vector<u8> loss(tokens.size(), 1);
    loss[0] = 0;
    store.add(tokens, loss);
  }
  CHECK(store.tokens() == 29);
  CHECK(store.longest() == 9);
  const auto make = [&](bool shuffle) {
    return train::PackedSource(store, {.seq_len = 8, .seed = 3, .shuffle = shuffle});
  };
  // In order and at most 9 tokens a row: 3 5, 2, 9, 4 4, 2 3, ...
  train::PackedSource plain = make(false);
  CHECK(plain.rows_of(7) == 5);
  Examples rows;
  plain.next(5, rows);
  CHECK(rows[0].tokens == std::vector<i32>{1, 1, 1, 2, 2, 2, 2, 2});
  CHECK(rows[0].starts == std::vector<i32>{3});
  CHECK(rows[0].loss == std::vector<u8>{0, 1, 1, 0, 1, 1, 1, 1});
  CHECK(rows[4].tokens == std::vector<i32>{7, 7, 1, 1, 1});
  CHECK(rows[4].number == 6);
  CHECK(plain.position() == 8);
  CHECK(plain.records_of(5) == 8);
  train::PackedSource source = make(true), head = make(true), tail = make(true);
  Examples all, parts;
  const i64 count = source.rows_of(70);
  source.next(count, all);
  // Ten epochs show each record ten times, but for what the last row has of the eleventh.
  std::map<i32, i64> seen;
  i64 number = 0;
  for (const train::Example& row : all) {
    CHECK(row.number == number);
    number += isize(row.starts) + 1;
    ++seen[row.tokens[0]];
    for (const i32 start : row.starts)
      ++seen[row.tokens[usize(start)]];
    CHECK(isize(row.tokens) <= 9);
  }
  CHECK(number == source.position());
  CHECK(number >= 70);
  for (i32 id = 1; id <= 7; ++id)
    CHECK((seen[id] == 10 || seen[id] == 11));
  head.next(7, parts);
  tail.seek(head.position());
  tail.next(count - 7, parts);
  CHECK(same(parts, all));
  CHECK_THROWS_WITH(train::PackedSource(store, {.seq_len = 7}),
                    Catch::Matchers::ContainsSubstring("9 tokens, expected at most 8"));
  CHECK_THROWS_AS(train::PackedSource({}, {.seq_len = 7}), Error);
}
