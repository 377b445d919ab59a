#include <cstdio>
#include <fstream>

#include <stdlib.h>
#include <unistd.h>

#include "cleaning.h"

using namespace lm::clean;

namespace {

/// A list in a file for as long as a test runs.
class ListFile {
 public:
  explicit ListFile(const std::string& lines) : path_("/tmp/lm-list-XXXXXX") {
    const int fd = ::mkstemp(path_.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    std::ofstream(path_) << lines;
  }
  ~ListFile() { std::remove(path_.c_str()); }
  std::string spec(const std::string& more = "") const { return "ban-lines:list=" + path_ + more; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("ratio-lines takes shouted lines and lines of digits", "[clean]") {
  CHECK(clean_text("ratio-lines", "BUY NOW\nquiet\n2024\n\nAB") == "quiet\n");
  CHECK(clean_text("ratio-lines", "ABcd\n12a") == "ABcd\n12a");  // just half; not all
  CHECK(clean_text("ratio-lines:upper=0.2,digits=0.5", "ABcd\n12a\nok") == "ok");
  CHECK(clean_text("ratio-lines", "ABC").empty());
  // Shares are of characters: four capitals of eight, twelve bytes.
  CHECK(clean_text("ratio-lines:upper=0.4",
                   "\xC3\x89\xC3\x89\xC3\x89\xC3\x89"
                   "abcd")
            .empty());
  // Roman numeral twelve is an upper-case letter that is no Lu.
  CHECK(clean_text("ratio-lines", "\xE2\x85\xAB").empty());
}

TEST_CASE("counter-lines takes what counts likes and views", "[clean]") {
  CHECK(clean_text("counter-lines", "text\n12.3K views\n- 5 Likes!\nmore") == "text\nmore");
  CHECK(clean_text("counter-lines", "1,234 followers here\n5likes\nviews 5\n5 k views") ==
        "1,234 followers here\n5likes\nviews 5\n5 k views");
  CHECK(clean_text("counter-lines:whole=no", "1,234 followers here\nb") == "b");
  CHECK(clean_text("counter-lines", "3 comments\n4 shares") == "<empty>");
  CHECK(clean_text("counter-lines", "") == "");
  CHECK(clean_text("counter-lines", "7 views\n") == "");
}

TEST_CASE("line-len takes lines of one word and leaves empty ones", "[clean]") {
  CHECK(clean_text("line-len", "Menu\n\nTwo words\n***\nHome") == "\nTwo words");
  CHECK(clean_text("line-len:words=3", "one two three\none two\n") == "one two three\n");
  CHECK(clean_text("line-len", "Menu\n\nHome") == "<empty>");
}

TEST_CASE("lines at the end of a text go with the newline before them", "[clean]") {
  CHECK(clean_text("line-len", "two words\na\nb") == "two words");
  CHECK(clean_text("line-len", "a\ntwo words") == "two words");
  CHECK(clean_text("line-len", "a\ntwo words\nb\n") == "two words\n");
}

TEST_CASE("ban-lines takes entries with a blank", "[clean]") {
  const ListFile list("items in cart\nSign in\n");
  CHECK(clean_text(list.spec(), "You have 3 items in cart now") == "You have 3 now");
  CHECK(clean_text(list.spec(), "a\tSign in\tb") == "a b");
  CHECK(clean_text(list.spec(), "xSign iny") == "x y");
  CHECK(clean_text(list.spec(), "keep\nSign in\nkeep too") == "keep\nkeep too");
  CHECK(clean_text(list.spec(), "Sign in Sign in here") == "  here");
  CHECK(clean_text(list.spec(",match=prefix"), "Sign in here Sign in") == "here Sign in");
  CHECK(clean_text(list.spec(",match=suffix"), "Sign in here Sign in") == "Sign in here");
  CHECK(clean_text(list.spec(",remove=line"), "a\nclick Sign in\nb") == "a\nb");
  CHECK(clean_text(list.spec(",max-words=3"), "please Sign in here\nSign in now") ==
        "please Sign in here\n now");
  CHECK(clean_text(list.spec(), "sign in") == "sign in");
}

TEST_CASE("ban-lines says what is wrong with its list", "[clean]") {
  const ListFile empty("\n\n");
  CHECK_THROWS_WITH(plan_of({empty.spec()}), Catch::Contains("has no entries"));
  CHECK_THROWS_WITH(plan_of({"ban-lines"}), Catch::Contains("needs list=FILE"));
}

TEST_CASE("word-removal counts from the text that the chain began with", "[clean]") {
  std::string text = "Menu";
  for (int i = 0; i < 40; ++i)
    text += "\nall is well";
  CHECK(cleaned({"line-len", "word-removal"}, text).text == text.substr(5));
  CHECK(cleaned({"line-len", "word-removal:share=0"}, text).text == "<share>");
  CHECK(cleaned({"line-len:words=4", "word-removal"}, text + "\n a b c d").text == "<share>");
  CHECK(cleaned({"word-removal:share=0"}, text).text == text);
  CHECK(cleaned({"word-removal"}, "").text == "");
}
