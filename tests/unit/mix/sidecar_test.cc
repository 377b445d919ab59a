#include "mix/sidecar.h"

#include "catch.h"
#include "core/context.h"
#include "core/error.h"
#include "io/object_fields.h"

using namespace lm;
using namespace lm::mix;

TEST_CASE("fields of an object are its own only, as they are spelt", "[mix]") {
  std::string seen;
  io::each_object_field(R"({ "a" : {"b":1}, "c":["d",{"e":2}] , "f\"g":"h:,}", "":1.50})",
                        [&](std::string_view key, std::string_view value) {
                          seen.append(key).append("=").append(value).append("|");
                        });
  CHECK(seen == R"(a={"b":1}|c=["d",{"e":2}]|f\"g="h:,}"|=1.50|)");
  seen.clear();
  io::each_object_field("{ }", [&](std::string_view, std::string_view) { seen += "x"; });
  CHECK(seen.empty());
}

TEST_CASE("the file of attributes is found by the documents' path", "[mix]") {
  CHECK(sidecar_path("attributes/e", "data/documents/p/q/x.jsonl.zst") ==
        "attributes/e/p/q/x.jsonl.zst");
  CHECK(sidecar_path("a/", "documents/x") == "a/x");
  CHECK(sidecar_path("a", "documents/b/documents/x") == "a/x");
  CHECK(sidecar_path("a", "mydocuments/p/x") == "a/x");
  CHECK(sidecar_path("a", "p/x.jsonl") == "a/x.jsonl");
  CHECK(sidecar_path("a", "x.jsonl") == "a/x.jsonl");
  CHECK_THROWS_AS(sidecar_path("a", "-"), Error);
  CHECK(named_sidecar_path("pii", "data/documents/p/x.jsonl") == "data/attributes/pii/p/x.jsonl");
  CHECK(named_sidecar_path("pii", "documents/x") == "attributes/pii/x");
  CHECK(named_sidecar_path("p", "a/documents/b/documents/x") == "a/documents/b/attributes/p/x");
  CHECK_THROWS_AS(named_sidecar_path("pii", "data/x.jsonl"), Error);
}
