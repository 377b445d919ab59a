#include "ingest/html_text.h"

#include "catch.h"
#include "ingest/html_slim.h"

using namespace lm;
using namespace lm::ingest;

namespace {
std::string text(const std::string& html) {
  HtmlText extractor;
  return extractor.extract(html).value_or("beyond the limits");
}
}  // namespace

TEST_CASE("blocks end lines, white space collapses, entities are characters", "[ingest]") {
  CHECK(text("<p>One\n  two <b>three</b>\t</p><div>four<p>five</div>six") ==
        "One two three\nfour\nfive\nsix");
  CHECK(text("a<b> b </b> c <i>d</i>e") == "a b c de");
  CHECK(text("&lt;b&gt; &amp;&eacute;&#x41;&nbsp;x") ==
        "<b> &\xC3\xA9"
        "A\xC2\xA0x");
  CHECK(text("one<br>two<br/><br>three<br><br><br>four") == "one\ntwo\n\nthree\n\nfour");
  CHECK(text("<h1>T</h1><ul><li>a<li>b<ul><li>c</ul></ul>d") == "T\na\nb\nc\nd");
  CHECK(text("<dl><dt>t<dd>d</dl>") == "t\nd");
}

TEST_CASE("pre keeps its white space, tables are lines", "[ingest]") {
  CHECK(text("x<pre>\n  a\n    b <b>c</b>\n</pre>y  z") == "x\n  a\n    b c\ny z");
  CHECK(text("<table><tr><th>a<th>b</tr><tr><td> 1 </td> <td>2 3</td></tr></table>z") ==
        "a\tb\n1\t2 3\nz");
}

TEST_CASE("what is no main text is left out", "[ingest]") {
  CHECK(text("<title>t</title><style>s</style><script>var a = '<p>no';</script><nav>n</nav>"
             "<header>h</header><article><header><h1>Title</h1></header>body</article>"
             "<aside>a</aside><form>f</form><footer>f</footer><noscript>n</noscript>"
             "<p hidden>h</p><template>t</template><button>b</button>!") == "Title\nbody\n!");
  CHECK(text("<form id=aspnetForm><p>All of it</p><select><option>o</select></form>") ==
        "All of it");
  CHECK(text("a<form>f</FORM>b<form><i>f</i>g</form>c") == "a\nb\nc");
  CHECK(text("a<!-- </form> b --><pre>c</pre>") == "a\nc");
  CHECK(text("<!-- c -->") == "");
  CHECK(text("") == "");
}

TEST_CASE("torn and hostile pages", "[ingest]") {
  CHECK(text("<p>a<b>b</p>c</b><div") == "ab\nc");
  CHECK(text(std::string("a\0b", 3)).find('a') == 0);
  std::string deep;
  for (int i = 0; i < 1000; ++i)
    deep += "<div></x>";
  CHECK(text(deep + "x") == "x");
  for (int i = 0; i < 2000; ++i)
    deep += "<div></x>";
  CHECK(text(deep + "x") == "beyond the limits");
  // Formatting elements that are opened again in every paragraph.
  std::string again = "<p>";
  for (int i = 0; i < 1500; ++i)
    again += "<b a" + std::to_string(i) + ">";
  for (int i = 0; i < 3000; ++i)
    again += "</p><p>x";
  CHECK(text(again) == "beyond the limits");
}

TEST_CASE("scripts, styles and comments go before a page is parsed", "[ingest]") {
  const auto slim = [](const std::string& html) { return slim_html(html, 100).value_or("deep"); };
  const auto same = [&](const std::string& html) { return slim(html) == html; };
  CHECK(slim("a<script x>var a = '<p>';</SCRIPT >b<style>c{}</style>") ==
        "a<script x></SCRIPT >b<style></style>");
  CHECK(slim("<!-- <script> -->a<!---->b<!-->c<!--->d") == "<!---->a<!---->b<!-->c<!--->d");
  CHECK(slim("<form>f</Form>") == "<form>f<!></Form>");
  // Quotes count where a value begins, nowhere else.
  CHECK(slim("<a title=it's b=\"<script>\"c='>'>x</a><script>y</script>") ==
        "<a title=it's b=\"<script>\"c='>'>x</a><script></script>");
  CHECK(slim("<a b = '>' c\"=\">\">x<script>y</script>") ==
        "<a b = '>' c\"=\">\">x<script></script>");
  CHECK(slim("<a =\">x<script>y</script>") == "<a =\">x<script></script>");
  // What another state of the parser may read otherwise stays.
  CHECK(same("<script><!-- <script> </script> --> </script>"));
  CHECK(slim("<svg><title>t</title><path d='>'/></svg><script>x</script>") ==
        "<svg><title>t</title><path d='>'/></svg><script></script>");
  CHECK(same("<svg><style></svg><script>x</script>"));
  CHECK(same("<math><svg></math><script>x</script>"));
  CHECK(same("<svg><script/>text</svg><p>x"));
  CHECK(same("<svg><![CDATA[ <script> ]]></svg>text<script>y</script>"));
  CHECK(same("<title><script></title><textarea><!-- x --></textarea><xmp><style></xmp>"));
  CHECK(same("<script>never closed"));
  CHECK(same("<!-- a --!> <p>b --><script>x</script>"));
  CHECK(same("<plaintext><script>x</script>"));
  CHECK(same("a < b <3 </ x> <? y> <div"));
  CHECK(same("<script>x</scripty> <p>"));
}
