#include "text/attributes.h"

#include "catch.h"

using namespace lm;
using namespace lm::text;

namespace {

std::string merged(const std::string& a, const std::string& b,
                   AttributeMerge merge = AttributeMerge::kReplace) {
  std::string out;
  const std::optional<Fault> fault = merge_attributes(a, b, merge, out);
  return fault ? "fault " + fault->code : out;
}

}  // namespace

TEST_CASE("attributes are merged by the rule", "[text]") {
  CHECK(merged("", R"({"x":[[0,1,1.50]]})") == R"({"x":[[0,1,1.50]]})");
  CHECK(merged(R"({"a":[],"x":[1]})", R"({"x":[2],"b":[ 3 ]})") == R"({"a":[],"x":[2],"b":[ 3 ]})");
  CHECK(merged(R"({"x":[1],"y":[]})", R"({"x":[2],"y":[3]})", AttributeMerge::kAppend) ==
        R"({"x":[1,2],"y":[3]})");
  CHECK(merged(R"({"x":[1]})", R"({"x":[]})", AttributeMerge::kAppend) == R"({"x":[1]})");
  CHECK(merged(R"({"x":1})", R"({"x":[2]})", AttributeMerge::kAppend) == "fault type");
  CHECK(merged(R"({"x":1})", R"({"x":[2]})", AttributeMerge::kError) == "fault duplicate_key");
  CHECK(merged(R"({"x":1})", R"({"y":[2]})", AttributeMerge::kError) == R"({"x":1,"y":[2]})");
  CHECK(merged("{}", "{}") == "{}");
}
