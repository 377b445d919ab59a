#include "text/pack.h"

#include <algorithm>
#include <map>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"

namespace lm::text {
namespace {

PackOptions options_for(PackMode mode, i64 seq_len) {
  PackOptions options;
  options.mode = mode;
  options.seq_len = seq_len;
  return options;
}

std::vector<i64> random_lengths(u64 seed, i64 count, u64 longest) {
  const RandomStream draws(seed, RandomPurpose::kOther);
  std::vector<i64> lengths;
  for (i64 i = 0; i < count; ++i)
    lengths.push_back(static_cast<i64>(draws.below(static_cast<u64>(i), longest + 1)));
  return lengths;
}

// Token t of document d, so that every token of a corpus is distinguishable.
i32 token_of(i64 document, i64 t) {
  return static_cast<i32>(document * 1000 + t + 10);
}

void read_tokens(i64 document, i64 begin, i64 end, std::span<i32> out) {
  for (i64 t = begin; t < end; ++t)
    out[static_cast<std::size_t>(t - begin)] = token_of(document, t);
}

constexpr i32 kPad = -7;
constexpr i32 kBos = 5;

// How often each token of the corpus appears in the rows.
std::map<i32, i64> placed_tokens(const PackPlan& plan, std::optional<i32> bos = std::nullopt) {
  std::map<i32, i64> seen;
  PackedRow row;
  i64 padding = 0;
  for (i64 r = 0; r < plan.rows(); ++r) {
    fill_row(plan, r, read_tokens, kPad, bos, row);
    for (const i32 token : row.tokens) {
      if (token == kPad) {
        ++padding;
      } else if (token != bos) {
        ++seen[token];
      }
    }
  }
  CHECK(padding == plan.padding);
  return seen;
}

}  // namespace

TEST_CASE("concat cuts the stream of documents every L tokens", "[text]") {
  const LocalContext ctx;
  const std::vector<i64> lengths = {3, 0, 4, 2};
  const PackPlan plan = plan_packing(lengths, options_for(PackMode::kConcat, 4), ctx);
  REQUIRE(plan.rows() == 3);
  CHECK(plan.segments ==
        std::vector<PackSegment>{{0, 0, 3}, {2, 0, 1}, {2, 1, 4}, {3, 0, 1}, {3, 1, 2}});
  CHECK(plan.row_begin == std::vector<i64>{0, 2, 4, 5});
  CHECK(plan.padding == 3);
  CHECK(plan.tokens_lost == 0);
  CHECK(plan.utilisation() == 0.75);  // 9 of 12 positions
  PackedRow row;
  fill_row(plan, 0, read_tokens, kPad, std::nullopt, row);
  CHECK(row.tokens == std::vector<i32>{10, 11, 12, 2010});
  CHECK(row.documents == std::vector<i64>{0, 0, 0, 2});
  CHECK(row.segment_ids == std::vector<u16>{1, 1, 1, 2});
  CHECK(row.position_ids == std::vector<i32>{0, 1, 2, 0});
  CHECK(row.cu_seqlens == std::vector<i32>{0, 3, 4});
  fill_row(plan, 2, read_tokens, kPad, std::nullopt, row);
  CHECK(row.tokens == std::vector<i32>{3011, kPad, kPad, kPad});
  CHECK(row.segment_ids == std::vector<u16>{1, 0, 0, 0});
  CHECK(row.documents == std::vector<i64>{3, -1, -1, -1});
  CHECK(row.cu_seqlens == std::vector<i32>{0, 1});
}

TEST_CASE("overlapping rows share one token, and dropping the last row is reported", "[text]") {
  const LocalContext ctx;
  PackOptions options = options_for(PackMode::kConcat, 4);
  options.overlap = true;
  // 9 tokens: rows [0,5) [4,9); an end exactly there makes no third row
  const PackPlan plan = plan_packing(std::vector<i64>{6, 3}, options, ctx);
  REQUIRE(plan.rows() == 2);
  CHECK(plan.width() == 5);
  CHECK(plan.padding == 0);
  PackedRow row;
  fill_row(plan, 1, read_tokens, kPad, std::nullopt, row);
  CHECK(row.tokens == std::vector<i32>{14, 15, 1010, 1011, 1012});
  // 10 tokens: the third row holds [8,10) and three pads
  CHECK(plan_packing(std::vector<i64>{10}, options, ctx).rows() == 3);
  options.drop_last = true;
  const PackPlan dropped = plan_packing(std::vector<i64>{10}, options, ctx);
  CHECK(dropped.rows() == 2);
  CHECK(dropped.tokens_placed == 9);
  CHECK(dropped.tokens_lost == 1);
}

TEST_CASE("best fit chooses the fullest row that has room", "[text]") {
  const LocalContext ctx;
  // L = 10: 23 -> 10, 10, 3. Longest first: 10 | 10 | 7 | 6, then 4 fills the row of 6, 3 (of 23)
  // fills the row of 7, and 2 opens the fifth row.
  const PackPlan plan =
      plan_packing(std::vector<i64>{7, 23, 4, 6, 2}, options_for(PackMode::kBestFit, 10), ctx);
  REQUIRE(plan.rows() == 5);
  CHECK(plan.segments ==
        std::vector<PackSegment>{
            {1, 0, 10}, {1, 10, 20}, {0, 0, 7}, {1, 20, 23}, {3, 0, 6}, {2, 0, 4}, {4, 0, 2}});
  CHECK(plan.padding == 8);
  CHECK(plan.tokens_lost == 0);
}

TEST_CASE("concat and best fit place every token exactly once", "[text]") {
  const LocalContext ctx;
  for (u64 seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const std::vector<i64> lengths = random_lengths(seed, 1 + static_cast<i64>(seed), 3 + 4 * seed);
    i64 total = 0;
    for (const i64 length : lengths)
      total += length;
    for (const PackMode mode : {PackMode::kConcat, PackMode::kBestFit}) {
      const PackPlan plan =
          plan_packing(lengths, options_for(mode, 1 + static_cast<i64>(seed % 17)), ctx);
      const std::map<i32, i64> seen = placed_tokens(plan);
      CHECK(isize(seen) == total);
      CHECK(std::all_of(seen.begin(), seen.end(),
                        [](const auto& entry) { return entry.second == 1; }));
      CHECK(plan.tokens_in == total);
      CHECK(plan.tokens_placed == total);
      CHECK(plan.tokens_lost == 0);
      CHECK(plan.rows() * plan.width() == total + plan.padding);
    }
  }
}

TEST_CASE("best fit equals a linear search for the fullest row", "[text]") {
  const LocalContext ctx;
  for (u64 seed = 100; seed < 130; ++seed) {
    CAPTURE(seed);
    const i64 seq_len = 5 + static_cast<i64>(seed % 40);
    const std::vector<i64> lengths = random_lengths(seed, 80, 60);
    std::vector<i64> pieces;
    for (const i64 length : lengths) {
      for (i64 at = 0; at < length; at += seq_len)
        pieces.push_back(std::min(seq_len, length - at));
    }
    std::sort(pieces.rbegin(), pieces.rend());
    std::vector<i64> rooms;
    for (const i64 piece : pieces) {
      std::vector<i64>::iterator best = rooms.end();
      for (auto it = rooms.begin(); it != rooms.end(); ++it) {
        if (*it >= piece && (best == rooms.end() || *it < *best)) best = it;
      }
      if (best == rooms.end()) best = rooms.insert(rooms.end(), seq_len);
      *best -= piece;
    }
    const PackPlan plan = plan_packing(lengths, options_for(PackMode::kBestFit, seq_len), ctx);
    CHECK(plan.rows() == isize(rooms));
    // Equal rows may trade places, so compare the multiset of what is left free.
    std::vector<i64> left;
    for (i64 r = 0; r < plan.rows(); ++r) {
      i64 room = seq_len;
      for (const PackSegment& segment : plan.row(r))
        room -= segment.end - segment.begin;
      left.push_back(room);
    }
    std::sort(left.begin(), left.end());
    std::sort(rooms.begin(), rooms.end());
    CHECK(left == rooms);
  }
}

TEST_CASE("bos best fit fills rows to the end and reports what it cut", "[text]") {
  const LocalContext ctx;
  PackOptions options = options_for(PackMode::kBosBestFit, 10);
  options.insert_bos = true;
  // Lengths 6 4 9 3, one more each for BOS. Row 1: 9 fits exactly. Row 2: 6 (7), room 3 -> 2
  // tokens: nothing fits, the shortest (3) is cut to 2. Row 3: 4 (5) and the buffer is empty: 5
  // pads.
  const PackPlan plan = plan_packing(std::vector<i64>{6, 4, 9, 3}, options, ctx);
  REQUIRE(plan.rows() == 3);
  CHECK(plan.segments == std::vector<PackSegment>{{2, 0, 9}, {0, 0, 6}, {3, 0, 2}, {1, 0, 4}});
  CHECK(plan.tokens_lost == 1);
  CHECK(plan.padding == 5);
  PackedRow row;
  fill_row(plan, 1, read_tokens, kPad, kBos, row);
  CHECK(row.tokens == std::vector<i32>{kBos, 10, 11, 12, 13, 14, 15, kBos, 3010, 3011});
  CHECK(row.position_ids == std::vector<i32>{0, 1, 2, 3, 4, 5, 6, 0, 1, 2});
  CHECK(row.cu_seqlens == std::vector<i32>{0, 7, 10});
}

TEST_CASE("bos best fit pads only the last row and loses only the ends of documents", "[text]") {
  const LocalContext ctx;
  for (u64 seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const std::vector<i64> lengths = random_lengths(seed, 200, 90);
    PackOptions options = options_for(PackMode::kBosBestFit, 32);
    options.insert_bos = true;
    options.buffer_documents = 1 + static_cast<i64>(seed % 50);
    const PackPlan plan = plan_packing(lengths, options, ctx);
    const std::map<i32, i64> seen = placed_tokens(plan, kBos);
    CHECK(isize(seen) == plan.tokens_placed);
    CHECK(
        std::all_of(seen.begin(), seen.end(), [](const auto& entry) { return entry.second == 1; }));
    CHECK(plan.tokens_lost == plan.tokens_in - plan.tokens_placed);
    std::vector<i64> times(lengths.size(), 0);
    for (i64 r = 0; r < plan.rows(); ++r) {
      i64 used = 0;
      for (const PackSegment& segment : plan.row(r)) {
        CHECK(segment.begin == 0);  // BOS is always followed by a document's beginning
        used += segment.end + 1;
        ++times[static_cast<std::size_t>(segment.document)];
      }
      // One place may stay free where a BOS alone would fit.
      if (r + 1 < plan.rows()) CHECK(used >= 31);
    }
    for (std::size_t d = 0; d < lengths.size(); ++d)
      CHECK(times[d] == (lengths[d] > 0 ? 1 : 0));
  }
}

TEST_CASE("bos best fit wants documents that begin with BOS", "[text]") {
  const LocalContext ctx;
  const PackPlan plan =
      plan_packing(std::vector<i64>{4, 4}, options_for(PackMode::kBosBestFit, 4), ctx);
  PackedRow row;
  CHECK_NOTHROW(fill_row(plan, 0, read_tokens, kPad, token_of(0, 0), row));
  CHECK_THROWS_AS(fill_row(plan, 1, read_tokens, kPad, token_of(0, 0), row), Error);
  CHECK_THROWS_AS(fill_row(plan, 2, read_tokens, kPad, kBos, row), Error);
}

TEST_CASE("packing nothing gives no rows, and impossible options are refused", "[text]") {
  const LocalContext ctx;
  for (const PackMode mode : {PackMode::kConcat, PackMode::kBestFit, PackMode::kBosBestFit}) {
    for (const std::vector<i64>& lengths : {std::vector<i64>{}, std::vector<i64>{0, 0}}) {
      const PackPlan plan = plan_packing(lengths, options_for(mode, 8), ctx);
      CHECK(plan.rows() == 0);
      CHECK(plan.utilisation() == 1.0);
    }
    CHECK_THROWS_AS(plan_packing(std::vector<i64>{1}, options_for(mode, 0), ctx), Error);
    CHECK_THROWS_AS(plan_packing(std::vector<i64>{-1}, options_for(mode, 8), ctx), Error);
    const std::vector<i64> many(200000, 3);
    CHECK_THROWS_AS(plan_packing(many, options_for(mode, 8), LocalContext(1, 1 << 20)), Error);
  }
  PackOptions options = options_for(PackMode::kBestFit, 8);
  options.overlap = true;
  CHECK_THROWS_AS(plan_packing(std::vector<i64>{1}, options, ctx), Error);
  CHECK(parse_pack_mode("bos-bestfit") == PackMode::kBosBestFit);
  CHECK_THROWS_AS(parse_pack_mode("worstfit"), Error);
}

}  // namespace lm::text
