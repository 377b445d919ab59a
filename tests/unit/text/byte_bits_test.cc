#include "text/byte_bits.h"

#include <string>

#include "catch.h"
#include "core/random.h"
#include "core/str.h"
#include "text/find_nocase.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::text;

namespace {

constexpr std::string_view kPieces[] = {" ",
                                        "a",
                                        "\n",
                                        "\x1C",
                                        "!",
                                        "\x08",
                                        "\x0E",
                                        "\x1B",
                                        "~",
                                        "7",
                                        "\xC3\xA9",
                                        "/",
                                        "\xC2\xA0",
                                        "\xC2\x85",
                                        ":",
                                        "\x7F",
                                        "\xE3\x80\x80",
                                        "\xE2\x80\x8B",
                                        "\r",
                                        "\xE2\x80\xA8",
                                        "word",
                                        "\xE1\x9A\x80",
                                        "0",
                                        "\xF0\x9F\x98\x80",
                                        "\xE2\x81\x9F",
                                        "\xE4\xB8\xAD",
                                        "9",
                                        "\xE1\x80\x80"};

std::string random_text(u64 seed, u64 pieces, u64 kinds) {
  const RandomStream draws(seed, RandomPurpose::kOther);
  std::string text;
  for (u64 i = 0; i < pieces; ++i)
    text += kPieces[draws.below(i, kinds)];
  return text;
}

/// What every map has to hold, byte by byte.
void check(std::string_view text, const ByteBits& bits) {
  const i64 n = isize(text);
  REQUIRE(bits.size() == n);
  REQUIRE(bits.chars() == isize(to_utf32(text)));
  REQUIRE(bits.ascii() == (bits.chars() == n));
  i64 inner = 0;
  i64 space_end = 0;
  bool same = true;
  for (i64 i = 0; i < n; ++i) {
    const u8 c = static_cast<u8>(text[usize(i)]);
    const bool first = (c & 0xC0) != 0x80;
    if (first) space_end = std::max(space_end, i + py_space_size(text, i));
    const bool space = i < space_end;
    same = same && bits.inner_before(i) == inner && bits.is_space(i) == space &&
           ByteBits::is_set(bits.newlines(), i) == (c == '\n') &&
           ByteBits::is_set(bits.digits(), i) == (c >= '0' && c <= '9') &&
           (bits.ascii() || ByteBits::is_set(bits.inner(), i) == !first);
    const bool start = !space && (i == 0 || bits.is_space(i - 1));
    same = same && ((bits.starts(i / 64) >> (i % 64) & 1) != 0) == start;
    inner += !first;
  }
  REQUIRE(same);
  REQUIRE(bits.inner_before(n) == inner);
  for (i64 i = n; i < 64 * bits.blocks() + 64; ++i) {
    REQUIRE(bits.is_space(i));
    REQUIRE_FALSE(ByteBits::is_set(bits.newlines(), i));
    REQUIRE_FALSE(ByteBits::is_set(bits.digits(), i));
  }
}

}  // namespace

TEST_CASE("maps of bytes say what every byte is, at all sizes and ends of blocks", "[text]") {
  ByteBits bits;  // one for all: nothing of a text may be left for the next
  for (u64 seed = 0; seed < 600; ++seed) {
    INFO("seed " << seed);
    // Every other text is ASCII.
    const std::string text = random_text(seed, seed % 150, seed % 2 == 0 ? 10 : std::size(kPieces));
    bits.scan(text);
    check(text, bits);
  }
  bits.scan("");
  check("", bits);
  CHECK(bits.blocks() == 1);
}

TEST_CASE("white space of three bytes is marked across the end of a block", "[text]") {
  ByteBits bits;
  for (std::size_t before = 55; before < 70; ++before) {
    const std::string text = std::string(before, 'x') + "\xE3\x80\x80" + "y";
    bits.scan(text);
    check(text, bits);
  }
}

TEST_CASE("all ways of making the maps agree on any bytes", "[text]") {
  constexpr i64 kBlocks = 40;
  const RandomStream draws(3, RandomPurpose::kOther);
  std::string bytes;
  for (u64 i = 0; i < 64 * kBlocks; ++i)
    bytes += static_cast<char>(i < 256 ? i : draws.below(i, i < 1024 ? 128 : 256));
  const auto maps = [&](auto make, i64 blocks) {
    std::vector<u64> all(4 * kBlocks, 0);
    const bool high =
        make(bytes.data(), blocks,
             BlockMaps{all.data(), &all[kBlocks], &all[2 * kBlocks], &all[3 * kBlocks]});
    all.push_back(high);
    return all;
  };
  for (const i64 blocks : {i64{0}, i64{1}, i64{2}, i64{5}, kBlocks})
    CHECK(maps(map_blocks, blocks) == maps(map_blocks_plain, blocks));
}

TEST_CASE("all ways of finding the ends of words agree with the bits", "[text]") {
  ByteBits bits;
  std::vector<u32> bytes;
  std::vector<u32> chars;
  for (u64 seed = 0; seed < 400; ++seed) {
    INFO("seed " << seed);
    const std::string text = random_text(seed, seed % 200, seed % 2 == 0 ? 10 : std::size(kPieces));
    bits.scan(text);
    std::vector<u32> expected;
    std::vector<u32> expected_chars;
    for (i64 i = 0; i <= isize(text); ++i) {
      if (bits.is_space(i) == (i == 0 || bits.is_space(i - 1))) continue;
      expected.push_back(static_cast<u32>(i));
      expected_chars.push_back(static_cast<u32>(i - bits.inner_before(i)));
    }
    if (bits.ascii()) expected_chars.clear();
    bits.word_edges(bytes, chars);
    REQUIRE(bytes == expected);
    REQUIRE(chars == expected_chars);
    std::vector<u32> before(usize(bits.blocks()));
    for (i64 i = 0; i < bits.blocks(); ++i)
      before[usize(i)] = static_cast<u32>(bits.inner_before(64 * i));
    const EdgeMaps maps = {bits.spaces().data(), bits.ascii() ? nullptr : bits.inner().data(),
                           before.data(), bits.blocks()};
    REQUIRE(count_edges_plain(maps) == isize(expected));
    REQUIRE(count_edges(maps) == isize(expected));
    bytes.assign(expected.size() + kEdgeRoom, 0);
    write_edges_plain(maps, bytes.data(), chars.data());
    bytes.resize(expected.size());
    REQUIRE(bytes == expected);
    REQUIRE(chars == expected_chars);
  }
}

TEST_CASE("set bits are visited in their order between two bounds", "[text]") {
  for (u64 seed = 0; seed < 300; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::vector<u64> map(4);
    for (u64 i = 0; i < map.size(); ++i)
      map[i] = draws.bits(i) & draws.bits(10 + i) & (seed % 3 == 0 ? draws.bits(20 + i) : ~u64{0});
    const i64 begin = static_cast<i64>(draws.below(30, 257));
    const i64 end = static_cast<i64>(draws.below(31, 257));
    std::vector<i64> expected;
    for (i64 i = begin; i < end; ++i)
      if (ByteBits::is_set(map, i)) expected.push_back(i);
    const auto mask = [&](i64 block) { return map[usize(block)]; };
    std::vector<i64> visited;
    each_bit(begin, end, mask, [&](i64 at) { visited.push_back(at); });
    INFO("seed " << seed << ", from " << begin << " to " << end);
    CHECK(visited == expected);
    CHECK(find_bit(begin, end, mask) == (expected.empty() ? end : expected[0]));
  }
}

TEST_CASE("a string is found in any case of its letters, wherever it stands", "[text]") {
  CHECK(find_nocase("", "ab") == -1);
  CHECK(find_nocase("b", "ab") == -1);
  CHECK(find_nocase("xAb", "ab") == 1);
  CHECK(find_nocase("ab ab", "ab", 1) == 3);
  CHECK(find_nocase("lOrEm IPSUM", "lorem ipsum") == 0);
  // NUL is no blank, @ no letter.
  CHECK(find_nocase(std::string_view("lorem\0ipsum", 11), "lorem ipsum") == -1);
  CHECK(find_nocase("@a@", "`a") == -1);
  const std::string_view letters = "aAbB c";
  for (u64 seed = 0; seed < 2000; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::string text;
    const u64 size = draws.below(0, 150);
    for (u64 i = 1; i <= size; ++i)
      text += letters[draws.below(i, letters.size())];
    const std::string part = cat(seed % 2 == 0 ? "ab" : "b", std::string(seed % 5, 'a'), "ba");
    INFO("seed " << seed << ": " << quote(text) << " " << part);
    const std::size_t at = ascii_lower(text).find(part, seed % 3);
    const i64 expected = at == std::string::npos ? -1 : static_cast<i64>(at);
    REQUIRE(find_nocase(text, part, static_cast<i64>(seed % 3)) == expected);
    REQUIRE(find_nocase_plain(text, part, static_cast<i64>(seed % 3)) == expected);
  }
}

TEST_CASE("code points are counted and letters lowered as one by one, wherever eights end",
          "[text]") {
  for (u64 seed = 0; seed < 400; ++seed) {
    std::string text = random_text(seed, seed % 120, std::size(kPieces));
    for (std::size_t i = 0; i < text.size(); i += 3)
      if (text[i] >= 0) text[i] = static_cast<char>((seed + i) % 128);
    INFO("seed " << seed << ": " << quote(text, 500));
    const std::u32string cps = to_utf32(text);
    REQUIRE(count_code_points(text) == isize(cps));
    std::string lower;
    for (const char32_t cp : cps)
      append_utf8(lower, simple_lower(cp));
    REQUIRE(to_lower_each(text) == lower);
    std::string ascii = text;
    for (char& c : ascii)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    REQUIRE(ascii_lower(text) == ascii);
  }
  CHECK(count_code_points(std::string(10000, 'x')) == 10000);
  std::string wide;
  for (int i = 0; i < 3000; ++i)
    wide += "\xE4\xB8\xAD";
  CHECK(count_code_points(wide) == 3000);
}
