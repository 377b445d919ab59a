#include "io/spool.h"

#include <string>
#include <vector>

#include "catch.h"
#include "core/context.h"
#include "core/parallel.h"
#include "core/str.h"

using namespace lm;
using namespace lm::io;

TEST_CASE("a spool gives its lines back in order, as often as asked", "[io]") {
  LocalContext ctx;
  Spool spool(*ctx);
  std::string expected;
  for (int batch = 0; batch < 40; ++batch) {
    std::vector<std::string> lines;
    for (int i = 0; i < 50; ++i)
      lines.push_back(cat("line ", batch, ".", i));
    for (const std::string& line : lines)
      append(expected, line, "\n");
    spool.append(std::vector<std::string_view>(lines.begin(), lines.end()));
  }
  spool.append({});
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    std::string seen;
    spool.replay({{StageMode::kParallel, [](Batch& b) { b.out = std::string(b.lines()); }},
                  {StageMode::kSerial, [&seen](Batch& b) { seen += b.out; }}},
                 nullptr);
    CHECK(seen == expected);
  }
  set_threads(1);
}

TEST_CASE("an error in a replay stage reaches the caller", "[io]") {
  LocalContext ctx;
  Spool spool(*ctx);
  spool.append(std::vector<std::string_view>{"a"});
  CHECK_THROWS_AS(
      spool.replay({{StageMode::kSerial, [](Batch&) { throw Error(ErrorKind::kData, "x"); }}},
                   nullptr),
      Error);
}
