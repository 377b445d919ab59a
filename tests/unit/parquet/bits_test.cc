#include "parquet/bits.h"

#include "catch.h"
#include "core/error.h"

using namespace lm;
using namespace lm::parquet;
using namespace std::string_view_literals;

namespace {
const Place kPlace{.file = "x", .column = "c"};
}

TEST_CASE("runs and packed groups decode to their values", "[parquet]") {
  // Encodings.md: 0 to 7 with 3 bits each are 88 c6 fa. Header 3 = one packed group; then a run of
  // four (header 8) of the value 5.
  RunDecoder runs("\x03\x88\xc6\xfa\x08\x05"sv, 3);
  u32 out[16] = {};
  CHECK(runs.read(out, 5) == 5);
  CHECK(runs.read(out + 5, 11) == 7);
  const u32 expected[12] = {0, 1, 2, 3, 4, 5, 6, 7, 5, 5, 5, 5};
  CHECK(std::equal(expected, expected + 12, out));
  CHECK(runs.read(out, 1) == 0);
}

TEST_CASE("a cut packed group gives the values that are whole", "[parquet]") {
  RunDecoder runs("\x03\x88\xc6"sv, 3);  // 16 bits hold five values of three
  u8 out[8] = {};
  CHECK(runs.read(out, 8) == 5);
  CHECK(out[4] == 4);
}

TEST_CASE("runs of no width are zeros, cut ones end", "[parquet]") {
  RunDecoder zeros("\x08"sv, 0);
  u32 out[8] = {1, 1, 1, 1};
  CHECK(zeros.read(out, 8) == 4);
  CHECK(out[3] == 0);
  RunDecoder cut("\x08"sv, 9);
  CHECK(cut.read(out, 1) == 0);
  RunDecoder endless("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"sv, 1);
  CHECK(endless.read(out, 1) == 0);
  RunDecoder wide("\x02\xff\xff\xff\xff"sv, 32);
  CHECK(wide.read(out, 1) == 1);
  CHECK(out[0] == 0xffffffff);
}

TEST_CASE("bits are found wherever they begin", "[parquet]") {
  const std::string_view bytes = "\x01\x02\x03\x04\x05\x06\x07\x08\x09"sv;
  CHECK(get_bits(bytes, 0, 64) == 0x0807060504030201);
  CHECK(get_bits(bytes, 8, 64) == 0x0908070605040302);
  CHECK(get_bits(bytes, 4, 64) == 0x9080706050403020);  // nibbles: 9 of the last byte on top
  CHECK(get_bits(bytes, 64, 8) == 9);
  CHECK(get_bits(bytes, 71, 1) == 0);
  CHECK(get_bits(bytes, 3, 0) == 0);
}

// 7, 5, 3, 1, 2, 3, 4, 5: blocks of 128 values in 4 parts; differences -2 -2 -2 1 1 1 1 are -2 and
// 0 0 0 3 3 3 3, which take two bits: 11000000, 00111111.
TEST_CASE("differences decode to their values", "[parquet]") {
  const std::string_view bytes = "\x80\x01\x04\x08\x0e\x03\x02\0\0\0\xc0\x3f\0\0\0\0\0\0rest"sv;
  DeltaDecoder deltas(bytes, kPlace);
  CHECK(deltas.count() == 8);
  CHECK(deltas.end() == bytes.size() - 4);
  for (const i64 expected : {7, 5, 3, 1, 2, 3, 4, 5})
    CHECK(deltas.next() == expected);
  CHECK_THROWS_AS(deltas.next(), Error);
}

TEST_CASE("differences that cannot be are refused", "[parquet]") {
  const auto refused = [](std::string_view bytes) {
    try {
      DeltaDecoder deltas(bytes, kPlace);
      for (int i = 0; i < 8; ++i)
        deltas.next();
    } catch (const Error& e) {
      return e.kind() == ErrorKind::kData;
    }
    return false;
  };
  CHECK(refused(""));
  CHECK(refused("\x80\x01\0\x08\x0e"sv));            // no parts
  CHECK(refused("\0\x04\x08\x0e"sv));                // no values in a block
  CHECK(refused("\x80\x01\x03\x08\x0e"sv));          // parts of no whole number
  CHECK(refused("\x80\x01\x04\x08\x0e\x03\x02"sv));  // widths are cut
  CHECK(refused("\x80\x01\x04\x08\x0e\x03\x02\0\0\0\xc0"sv));
  CHECK(refused("\x80\x01\x04\x08\x0e\x03\x41\0\0\0\xc0\x3f\0\0\0\0\0\0"sv));  // 65 bits
  CHECK(refused("\x80\x80\x80\x80\x10\x04\x08\x0e"sv));                        // a block of 2^32
}
