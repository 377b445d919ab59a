#include "cleaning.h"

using namespace lm::clean;

namespace {

const std::string kFree = "c4:sentences=0";

}  // namespace

TEST_CASE("c4 keeps lines that end a sentence and have three words", "[clean]") {
  CHECK(clean_text(kFree, "One two three.\nno end here\nToo few.\nIs it so?\n\"Quoted it is.\"") ==
        "One two three.\nIs it so?\n\"Quoted it is.\"");
  CHECK(clean_text(kFree, "This goes on and on...\nThis ends in 'quotes'") ==
        "This ends in 'quotes'");
  CHECK(clean_text(kFree, "\n\n").empty());
  CHECK(clean_text(kFree, "").empty());
}

TEST_CASE("c4 takes white space around lines away and ends them by one newline", "[clean]") {
  CHECK(clean_text(kFree,
                   "  One two three. \r\n\tFour five six!\x0B"
                   "Seven eight nine.\n\n") == "One two three.\nFour five six!\nSeven eight nine.");
  // U+2028 ends a line, too.
  CHECK(clean_text(kFree,
                   "One two three.\xE2\x80\xA8"
                   "Four five six.") == "One two three.\nFour five six.");
}

TEST_CASE("c4 takes citations away before it looks at the end of a line, behind its words",
          "[clean]") {
  CHECK(clean_text(kFree, "It was so[12] then[citation needed].") == "It was so then.");
  CHECK(clean_text(kFree, "It was so.[3]") == "It was so.");
  // What is left ends in a blank, which is no mark.
  CHECK(clean_text(kFree, "It was so. [3]").empty());
  CHECK(clean_text(kFree, "[1] It was so.") == "It was so.");
  // Three words with the citation, two without: counted before.
  CHECK(clean_text(kFree, "It [1] was.") == "It  was.");
  CHECK(clean_text(kFree, "An empty[] one and [x].") == "An empty one and [x].");
  CHECK(clean_text("c4:sentences=0,citations=no", "It was so [1].") == "It was so [1].");
}

TEST_CASE("c4 drops lines by what they say", "[clean]") {
  CHECK(clean_text(kFree, "Please enable JavaScript now.\nIt was a day.") == "It was a day.");
  CHECK(clean_text(kFree, "Read our Privacy Policy here.\nIt was a day.") == "It was a day.");
  CHECK(clean_text(kFree, "It was " + std::string(1001, 'x') + ".\nIt was a day.") ==
        "It was a day.");
  CHECK(clean_text(kFree, "It was " + std::string(999, 'x') + ".").size() == 1007);
}

TEST_CASE("c4 drops documents", "[clean]") {
  CHECK(clean_text("c4", "It was a day.\nLorem Ipsum dolor sit.") == "<lorem_ipsum>");
  CHECK(clean_text("c4", "It is { here.") == "<curly_bracket>");
  // Only lines that would stay are asked.
  CHECK(clean_text(kFree, "function() {\nIt was a day.") == "It was a day.");
  CHECK(clean_text("c4", "One is here. Two is here. Three is here. Four is here.") ==
        "<few_sentences>");
  const std::string five = "One is here. Two is here.\nThree is here. Four is here. Five is here.";
  CHECK(clean_text("c4", five) == five);
  CHECK(clean_text("c4", "") == "<few_sentences>");
}

TEST_CASE("c4 counts lines and characters", "[clean]") {
  const StepCounts counts = cleaned({kFree}, "One two three.\nno end\n\xC3\xA9t\xC3\xA9").last;
  CHECK(counts.documents == 1);
  CHECK(counts.changed == 1);
  CHECK(counts.lines == 3);
  CHECK(counts.lines_removed == 2);
  CHECK(counts.chars_removed == 11);  // "\nno end\n" with three letters behind
  CHECK(counts.chars_added == 0);
}

TEST_CASE("c4-paragraph asks for three long lines", "[clean]") {
  const std::string line(200, 'x');
  CHECK(clean_text("c4-paragraph", line + "\n" + line + "\n" + line) ==
        line + "\n" + line + "\n" + line);
  CHECK(clean_text("c4-paragraph", line + "\n" + line + "\n" + line.substr(1)) ==
        "<few_paragraphs>");
  CHECK(clean_text("c4-paragraph:paragraphs=1,length=3", "abc") == "abc");
}
