#include "core/str.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

/// KEY SCORE of what a tagger finds in a page, joined by blanks.
std::string licences(const std::string& tagger, const std::string& html, bool dolma = false) {
  TagSettings settings;
  settings.dolma = dolma;
  TagFiles files;
  const TagPlan plan(complete_taggers({tagger}, files), "e", settings);
  const FieldPlaces places("text", plan);
  io::JsonReader json(places.paths());
  std::string line = "{\"text\":\"abc\",\"metadata\":{\"html\":" + io::json_string(html) + "}}";
  const std::size_t size = line.size();
  line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
  REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
  TagWorker worker(plan);
  REQUIRE_FALSE(worker.tag(json, places));
  REQUIRE_FALSE(worker.tag(json, places));
  std::string out;
  worker.append(out, 0, isize(plan.keys()), false);
  return out;
}

}  // namespace

TEST_CASE("licences in links have a type, a version and a language", "[tag]") {
  const std::string a = "<a rel=\"license\" href=\"http://creativecommons.org/licenses/";
  CHECK(licences("cc_re", a + "by-nc-sa/4.0/\">", true) ==
        "\"e__cc_re__cc_by_nc_sa_4_0\":[[0,3,1]]");
  CHECK(licences("cc_re", a + "by/3.0/us/\">x" + a + "by/3.0/deed.en\" >") ==
        "\"e__cc_re__licences\":[[0,3,2]],\"e__cc_re__cc_by_3_0_en\":[[0,3,0.75]],"
        "\"e__cc_re__cc_by_3_0_us\":[[0,3,1]]");
  CHECK(licences("cc_re", a + "by/3.0/us/deed.de\">", true) ==
        "\"e__cc_re__cc_by_3_0_de\":[[0,3,1]]");
  CHECK(licences("cc_re", "<meta content='https://creativecommons.org/publicdomain/zero/1.0/'>",
                 true) == "\"e__cc_re__cc_publicdomain_zero_1_0\":[[0,3,1]]");
}

TEST_CASE("an address outside of an element, or not closed, is no link", "[tag]") {
  const std::string href = "href=\"http://creativecommons.org/licenses/by/4.0/";
  CHECK(licences("cc_re", "<a " + href + "\n\">", true).empty());
  CHECK(licences("cc_re", "<a <" + href + "\">", true).empty());
  CHECK(licences("cc_re", "<b " + href + "\">", true).empty());
  CHECK(licences("cc_re", "creativecommons.org/licenses", false) ==
        "\"e__cc_re__licences\":[[0,3,0]]");
}

TEST_CASE("addresses alone are found by the fast tagger", "[tag]") {
  CHECK(licences("cc_re_fast", "http://creativecommons.org/licenses/by-sa/2.0") ==
        "\"e__cc_re_fast__cc_by_sa\":[[0,3,1]]");
  CHECK(licences("cc_re_fast", "http://creativecommons.org/licenses/by-sa").empty());
  CHECK(licences("cc_re_fast", "ftp://creativecommons.org/licenses/by/").empty());
}

TEST_CASE("a page is needed", "[tag]") {
  CHECK(fault_of("cc_re", "x", {}) == "missing");
  CHECK(fault_of("cc_re_fast", "x", {}) == "missing");
}
