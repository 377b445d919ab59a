#include "core/str.h"
#include "tag/code_comments.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

TagSettings dolma() {
  TagSettings settings;
  settings.dolma = true;
  return settings;
}

std::string metadata(const std::string& ext) {
  return ",\"metadata\":{\"ext\":\"" + ext + "\",\"max_stars_count\":7}";
}

i64 comments(const std::string& text, const char* extension, bool reference = false) {
  const CodeLanguage* const language = language_of(extension);
  REQUIRE(language != nullptr);
  return comment_chars(text, *language, reference);
}

}  // namespace

TEST_CASE("a first comment that speaks of copyright is a notice", "[tag]") {
  const auto all = found("code_copyright_comments_v1", "x /* CopyRight */ y");
  CHECK(all.at("copyright_notice") == Spans{{2, 17, 1}});
  CHECK(value(all, "doc") == Approx(15.0 / 19));
  const auto other = found("code_copyright_comments_v1", "// a\n/* b */ /* copyright */");
  CHECK(other.size() == 1);
  CHECK(value(other, "doc") == 0);
  CHECK(found("code_copyright_comments_v1", "# a\n/*/ b").count("comment_block") == 1);
}

TEST_CASE("D-08: a block of comment lines has its newlines", "[tag]") {
  // Lines of 3, 0 and 4 characters in front of the code.
  const std::string text = "# a\n\n-- b\nx";
  const auto all = found("code_copyright_comments_v1", text);
  CHECK(all.at("comment_block") == Spans{{0, 10, 1}});
  CHECK(value(all, "doc") == Approx(10.0 / 11));
  const auto reference = found("code_copyright_comments_v1", text, dolma());
  CHECK(reference.at("comment_block") == Spans{{0, 8, 1}});
  CHECK(value(reference, "doc") == Approx(9.0 / 11));
  CHECK(found("code_copyright_comments_v1", "#").at("comment_block") == Spans{{0, 1, 1}});
  const auto empty = found("code_copyright_comments_v1", "");
  CHECK(empty.size() == 1);
  CHECK(value(empty, "doc") == -1);
  CHECK(found("code_copyright_comments_v1", "", dolma()).at("comment_block") == Spans{{0, 1, 1}});
}

TEST_CASE("RedPajama measures lines and letters", "[tag]") {
  // Lines of 4 and 6 characters; 7 letters and 1 number of 11; pieces: ab = 1 + cd efg.
  const auto all = found("code_redpajama_taggers_v1", "ab=1\ncd efg");
  CHECK(value(all, "max_line_length_doc") == 6);
  CHECK(value(all, "avg_line_length_doc") == 5);
  CHECK(value(all, "alnum_prop_doc") == Approx(8.0 / 11));
  CHECK(value(all, "alpha_token_prop_doc") == Approx(7.0 / 6));
  CHECK(value(found("code_redpajama_taggers_v1", ""), "alpha_token_prop_doc") == 0);
}

TEST_CASE("comments are counted by the language of the extension", "[tag]") {
  CHECK(comments("x = \"// no\"; // a\ny /* b\n*/ z", "c") == 4 + 7);
  CHECK(comments("x = \"// no\"; // a\ny", "c", true) == 5);  // with the newline
  CHECK(comments("x = a / b; y = /[/\"]*/.test(z); // a", "js") == 4);
  CHECK(comments("`// no ${x}\n// no`; /* a */", "js") == 7);
  CHECK(comments("/* a /* b */ c */ x", "rs") == 17);
  CHECK(comments("/* a /* b */ c */ x", "c") == 12);
  CHECK(comments("x=${y#z} # a\necho '# no'", "sh") == 3);
  CHECK(comments("<p>don't</p><!-- a -->'", "html") == 10);
  CHECK(comments("-- a\nx = 'y--z'", "lua") == 4);
  CHECK(comments("x := `\n// no \\` // a", "go") == 4);
  CHECK(comments("// a\nmov x /* b */ ; c\n# d", "s") == 4 + 7 + 3 + 3);
  CHECK(comments("don't // a", "c") == 4);
  CHECK(language_of("nope") == nullptr);
  CHECK(language_of("") == nullptr);
}

TEST_CASE("comments as the reference's lexers have them", "[tag]") {
  // Behind an included file without the newline, elsewhere with it.
  CHECK(comments("#include <a> // b\nx // c\n# include \"d\" // e\n", "c", true) == 4 + 5 + 4);
  CHECK(comments("#include <a> // b\nx // c\n", "c") == 4 + 4);
  // Nothing of what is left out.
  const std::string left_out =
      "#if 0\n// a\n#if x\n// b\n  #endif // c\n// d\n#else\n// e\n#endif\n";
  CHECK(comments(left_out, "c", true) == 5);
  CHECK(comments(left_out, "c") == 5 * 4);
  CHECK(comments("x #if 0\n// a\n", "c", true) == 5);
  CHECK(comments("# a\nall:\n", "mk", true) == 0);
  CHECK(comments("# a\nall:\n", "mk") == 3);
  CHECK(comments("// a\nmov x ; c\n", "s", true) == 5 + 4);
  // Code of PHP stands between marks; ** begins documentation, #[ an attribute.
  const std::string php =
      "# no <p>don't</p> <?php # a\n/** b */ /* c */ /**/ #[d]\n// e\n ?> # no <? # f\n";
  CHECK(comments(php, "php") == 3 + 8 + 7 + 4 + 4 + 3);
  CHECK(comments(php, "php", true) == 4 + 7 + 4 + 5 + 4);
  CHECK(comments("# no code", "php") == 0);
  // Two lines of comment with their newlines, one without; %! and %% are none, nor is % in strings.
  const std::string page = "%!PS\n%%A\n% b\n%% c\n(% no (no)) x % d\n% e\n";
  CHECK(comments(page, "ps", true) == 4 + 5 + 3 + 3);
  CHECK(comments(page, "ps") == 4 + 3 + 3 + 4 + 3 + 3);
}

TEST_CASE("strings go on over lines where the language, or its lexer, has them so", "[tag]") {
  const std::string text = "x = \"a\n; no\n\" ; b\n";
  CHECK(comments(text, "lisp") == 3);
  CHECK(comments("'(#\\\" ; a\n #\\; b)", "lisp") == 3);
  CHECK(comments("echo 'a\\' # b\n\"c\n# no\" # d", "sh") == 6);
  CHECK(comments("x = \"a\n// no\n\"; // b", "java") == 5 + 4);
  CHECK(comments("x = \"a\n// no\n\"; // b", "java", true) == 4);
  CHECK(comments("x = 'a\n// no\n'; // b", "js") == 5 + 4);
  CHECK(comments("x = 'a\n// no\n'; // b", "js", true) == 4);
  CHECK(comments("say \"a\n# no\"; # b", "pl", true) == 3);
  // A quote without another is a character; in C the reference goes on to the line's end.
  CHECK(comments("x = \"a ; b\n; c", "lisp") == 3 + 3);
  CHECK(comments("\"a // b\n// c", "c") == 4 + 4);
  CHECK(comments("\"a // b\n// c", "c", true) == 5);  // with a newline
  CHECK(comments("don't // a", "c", true) == 5);
  // Ruby: what is put into a string, patterns, text that begins with it.
  CHECK(comments("x = \"a #{y[\"b\"]} # no\" # c", "rb") == 3);
  CHECK(comments("x = y.sub(/[\"'#]/, 'a') # b", "rb") == 3);
  CHECK(comments("x = <<A\n#{y}\nA\n# b", "rb") == 3);
}

TEST_CASE("of Python comments without # and docstrings without indentation count", "[tag]") {
  CHECK(python_text_chars("'''Doc.\n\n    More.\n'''\nx = '# no'  # yes\n", false) ==
        isize(std::string_view("Doc.\n\nMore.\n yes")));
  CHECK(python_text_chars("def f(a=':'):\n  'a' r'b'\n  return 'c'\n", false) == 2);
  CHECK(python_text_chars("def f(): 'a'; x\n", false) == 1);
  CHECK(python_text_chars("class A:\n  b'no'\n  def g(self):\n    f'no'\n", false) == 0);
  CHECK(python_text_chars("async def f():\n  'a'\n", false) == 1);
  CHECK(python_text_chars("async def f():\n  'a'\n", true) == 0);
  CHECK(python_text_chars("'a' + 'b'\n", false) == 0);
  CHECK(python_text_chars("x = (1, # a\n 2)\n", true) == 1);
  // Of classes, functions and the module: blanks behind a class's are within.
  CHECK(python_text_chars("'''M'''\nclass A:\n  '''B\n\n  '''\n", false) ==
        isize(std::string_view("B\n\n  \nM")));
  // What Python does not read: the reference finds nothing.
  CHECK(python_text_chars("x = (1 # a\n", false) == 1);
  CHECK(python_text_chars("x = (1 # a\n", true) == 0);
  CHECK(python_text_chars("if x:\n    y # a\n  z\n", true) == 0);
}

TEST_CASE("StarCoder's measures", "[tag]") {
  const auto first = found("code_starcoder_taggers_v1", "// ab\nx", {}, metadata("c"));
  CHECK(value(first, "nl_ratio_doc") == Approx(5.0 / 7));
  CHECK(value(first, "num_github_stars_doc") == 7);
  CHECK(value(first, "code_to_text_ratio_html_doc") == 1);
  CHECK(value(found("code_starcoder_taggers_v1", "x"), "nl_ratio_doc") == -1);
  CHECK(value(found("code_starcoder_taggers_v1", "", {}, metadata("c")), "nl_ratio_doc") == -1);
  CHECK(value(found("code_starcoder_taggers_v2", "// a", {}, metadata("c")),
              "code_to_comment_ratio_doc") == 0.5);
  CHECK(value(found("code_starcoder_taggers_v2", "// a", {}, metadata("java")),
              "code_to_comment_ratio_doc") == 1);
  // A language that the reference has no lexer for.
  CHECK(value(found("code_starcoder_taggers_v1", "// a", {}, metadata("proto")), "nl_ratio_doc") ==
        1);
  CHECK(value(found("code_starcoder_taggers_v1", "// a", dolma(), metadata("proto")),
              "nl_ratio_doc") == -1);
  const auto xml = found("code_starcoder_taggers_v2", "<?xml version='1.0'?>");
  CHECK(value(xml, "has_xml_template_doc") == 1);
}

TEST_CASE("visible text of a page is neither script nor style nor mark", "[tag]") {
  const std::string words(200, 'w');
  const std::string page =
      "<html><head><style>p {}</style></head><body><script>x</script><p>" + words + "</p></body>";
  CHECK(value(found("code_starcoder_taggers_v2", page, {}, metadata("html")),
              "code_to_text_ratio_html_doc") == Approx(200.0 / static_cast<f64>(page.size())));
  CHECK(value(found("code_starcoder_taggers_v2", "<p>short</p>", {}, metadata("html")),
              "code_to_text_ratio_html_doc") == 0);
}

TEST_CASE("NeMo's filters count what fails", "[tag]") {
  std::string text;
  for (int i = 0; i < 12; ++i)
    text += "int value; // a comment\n";
  CHECK(value(found("nemo_code", text, {}, metadata("c")), "failed_rules") == 0);
  // Three lines, no comment.
  CHECK(value(found("nemo_code", "int a;\nint b;\n", {}, metadata("c")), "failed_rules") == 2);
  // Letters of every script, and marks that are alphabetic: U+00E9, U+0416 and U+0345 of five.
  CHECK(value(found("nemo_code", "\xC3\xA9\xD0\x96\xCD\x85 1"), "alpha_ratio") == Approx(0.6));
}
