#include "census/report.h"

#include "core/str.h"
#include "io/json_node.h"
#include "unit/census/observed.h"

using namespace lm;
using census::Observer;
using census::Plan;
using census::Survey;
using test::json_report;
using test::observe;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a page escapes what comes from data and needs nothing else", "[census]") {
  Plan plan;
  plan.tops = {"source"};
  plan.examples = 1;
  const Survey survey(plan, mix::OnMissing::kFalse,
                      {{mix::RuleKind::kDrop, "r=text matches \"<b>\"", "--drop"}}, {});
  Observer observer(survey);
  CHECK(observe(observer,
                R"({"id":"<i>&\"","n":2,"source":"<script>x</script>","text":"a <b> \u0001"})")
            .empty());
  const std::string page = census::report_html(observer.census(), {});
  for (const char* const bad : {"<script", "<i>", "<b> ", "src=", "href=", "url(", "\x01"})
    CHECK(!contains(page, bad));
  CHECK(contains(page, "&lt;script&gt;x&lt;/script&gt;"));
  CHECK(contains(page, "<svg "));
  CHECK(contains(page, "a &lt;b&gt; \xEF\xBF\xBD"));
}

TEST_CASE("reports of nothing", "[census]") {
  const Survey survey({}, mix::OnMissing::kFalse, {}, {});
  Observer observer(survey);
  const std::string json = json_report(observer.census(), {});
  const io::JsonDocument document(json);
  CHECK(document.error().empty());
  CHECK(document.root("json").object("totals").integer("documents", 0, 0) == 0);
  CHECK(census::sections(observer.census(), {}, false).size() == 1);
  CHECK(contains(census::report_html(observer.census(), {}), "</html>"));
}

TEST_CASE("records are kept, removed or rejected", "[census]") {
  const Survey survey({}, mix::OnMissing::kFalse, {{mix::RuleKind::kDrop, "n > 1", "--drop"}}, {});
  Observer observer(survey);
  for (i64 n = 0; n < 5; ++n)
    CHECK(observe(observer, cat("{\"n\":", n, "}")).empty());
  observer.census().rejected = 2;
  const std::string json = json_report(observer.census(), {});
  CHECK(contains(json, R"("records":{"input":7,"rejected":2,"kept":2,"removed":3})"));
}
