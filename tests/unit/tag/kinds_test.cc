// Kinds of --define: expressions, tokenizers, commands.

#include <fstream>

#include "core/error.h"
#include "core/str.h"
#include "tag/define.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

TaggerDef defined(const std::string& text) {
  TagFiles files;
  return defined_tagger(text, files);
}

std::string message_of(const std::string& text) {
  try {
    defined(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("regex: matches are counted by unit, or found", "[tag]") {
  const std::string text = "a1 b22\nc\n\n333";
  CHECK(value(found(defined("x=regex:[0-9]+"), text), "count") == 3);
  CHECK(value(found(defined("x=regex:q"), text), "count") == 0);
  CHECK(found(defined("x@line=regex:[0-9]+"), text) ==
        std::map<std::string, Spans>{{"count", {{0, 6, 2}, {10, 13, 1}}}});
  CHECK(found(defined("x@paragraph=regex:\\w+$"), text) ==
        std::map<std::string, Spans>{{"count", {{10, 13, 1}}}});
  CHECK(found(defined("x@match=regex:\\d+"), "\xC3\xA9 1 22") ==
        std::map<std::string, Spans>{{"match", {{2, 3, 1}, {4, 6, 1}}}});
  // A colon and an equals sign belong to the pattern; ^ is the beginning of the text.
  CHECK(value(found(defined("x=regex:^a=:"), "a=:\na=:"), "count") == 1);
}

TEST_CASE("regex: a text on which the pattern does not end is a bad record", "[tag]") {
  const TagPlan plan({defined("x=regex:(a|aa)+$")}, "", {});
  const FieldPlaces places("text", plan);
  io::JsonReader json(places.paths());
  std::string line = "{\"text\":\"" + std::string(60, 'a') + "b\"}";
  const std::size_t size = line.size();
  line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
  REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
  TagWorker worker(plan);
  const std::optional<Fault> fault = worker.tag(json, places);
  REQUIRE(fault);
  CHECK(fault->code == "pattern");
  CHECK(fault->detail == "pattern \"(a|aa)+$\" gives up at byte 0: match limit exceeded");
}

TEST_CASE("kinds refuse what they cannot use", "[tag]") {
  CHECK(message_of("x=regex:(").starts_with("--define x: pattern \"(\" is wrong at byte 1"));
  CHECK(message_of("x@match=words:f") == "--define x: kind words has no unit \"match\"");
  CHECK(message_of("x@line=external:a:cat") == "--define x: kind external has no unit \"line\"");
  CHECK(message_of("x=external:cat") == "--define x: external has no command");
  CHECK(message_of("x=external:a,:cat") == "--define x: \"\" is no name of a type");
  CHECK(message_of("x=external:a,a:cat") == "--define x: type a stands twice");
}

TEST_CASE("external: a command answers documents", "[tag]") {
  const std::string all = "{\"attributes\":{\"a\":[[0,1,0.5],[2,3,1]],\"b\":7}}";
  CHECK(found(defined("x=external:a,b,c:while read l; do echo '" + all + "'; done"), "xyz") ==
        std::map<std::string, Spans>{{"a", {{0, 1, 0.5}, {2, 3, 1}}}, {"b", {{0, 3, 7}}}});
  const auto message = [](const std::string& answer) -> std::string {
    try {
      found(defined("x=external:a:while read l; do echo '" + answer + "'; done"), "xyz");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kData);
      return error.what();
    }
    return "no error";
  };
  CHECK(message("{\"attributes\":{\"a\":[[0,4,1]]}}").find("a span ends at 4 of a text of 3") !=
        std::string::npos);
  CHECK(message("{\"attributes\":{\"a\":[[2,1,1]]}}") != "no error");
  CHECK(message("no json") != "no error");
}

TEST_CASE("tokens: by a tokenizer's file, without special tokens", "[tag]") {
  const std::filesystem::path path = test::data_dir() / "tokenizers" / "gpt2";
  if (!std::filesystem::exists(path)) return;
  TagFiles files;
  CHECK(value(found(defined_tagger("x=tokens:" + path.string(), files), "Hello world"), "tokens") ==
        2);
  CHECK(found(defined_tagger("y@line=tokens:" + path.string(), files), "Hello\n\nworld") ==
        std::map<std::string, Spans>{{"tokens", {{0, 5, 1}, {6, 6, 0}, {7, 12, 1}}}});
  CHECK(value(found("dolma_v1_tokenizer", " Hello world \n", {}, "", path.string()), "length") ==
        2);
  CHECK(value(found("dolma_v1_tokenizer", " ", {}, "", path.string()), "length") == 0);
  CHECK(value(found("tokenizers_AI2_OLMo_v1", " Hello", {}, "", path.string()), "tokens") == 1);
}

TEST_CASE("token repetitions of the reference: places as the tokenizer's file has them", "[tag]") {
  const test::TempDir dir;
  // Tokens a, b, \n and the same behind a blank.
  const auto spans = [&dir](const std::string& tagger, const std::string& post_processor,
                            const std::string& text, bool dolma,
                            const std::string& type = "repetition") {
    const std::string path = dir.file("tokenizer.json");
    std::ofstream(path)
        << R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"\u010a":2,"\u0120":3,"\u0120a":4,)"
        << R"("\u0120b":5},"merges":["\u0120 a","\u0120 b"]},"pre_tokenizer":{"type":)"
        << R"("ByteLevel","add_prefix_space":false,"use_regex":true},"post_processor":)"
        << post_processor << "}";
    TagSettings settings;
    settings.dolma = dolma;
    return found(tagger, text, settings, "", path).at(type);
  };
  const std::string name = "tokenizer_repetitions_v1";
  const std::string paragraphs = "paragraph_tokenizer_repetitions_v1";
  const std::string whole = R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false})";
  const std::string text = "b a b a b a b\n";
  CHECK(spans(name, whole, text, true) == Spans{{1, 13, 3}});
  CHECK(spans(name, whole, text, false) == Spans{{2, 13, 3}});
  CHECK(spans(name, "null", text, true) == Spans{{1, 13, 3}});
  // The blank that is put before a paragraph stands for the newline before it.
  CHECK(spans(paragraphs, whole, "b\na a a", true) == Spans{{1, 7, 3}});
  CHECK(spans(paragraphs, whole, "a a a", true) == Spans{{0, 5, 3}});
  // Before the first there is none: the span begins with the text, and has the reference's length.
  CHECK(spans(paragraphs, whole, "a a a", true, "doc_max_length_repetition") == Spans{{0, 5, 6}});
  CHECK(spans(paragraphs, whole, "b\na a a", false) == Spans{{2, 7, 3}});
  const std::string trimmed =
      R"({"type":"Sequence","processors":[{"type":"ByteLevel","add_prefix_space":false}]})";
  CHECK(spans(name, trimmed, text, true) == Spans{{2, 13, 3}});
  CHECK(spans(name, trimmed, " a a a", true) == Spans{{1, 6, 3}});
  // A blank before the first token may have been added.
  const std::string first = R"({"type":"ByteLevel","add_prefix_space":true})";
  CHECK(spans(name, first, text, true) == Spans{{2, 13, 3}});
  CHECK(spans(name, first, " a a a", true) == Spans{{0, 6, 3}});
  CHECK(spans(name, first, " a a a", false) == Spans{{1, 6, 3}});
}

TEST_CASE("token repetitions: maximal runs of a period, in rising order", "[tag]") {
  const std::filesystem::path path = test::data_dir() / "tokenizers" / "gpt2";
  if (!std::filesystem::exists(path)) return;
  const std::string text = "x a b a b a b y ha ha ha";
  const auto all = found("tokenizer_repetitions_v1", text, {}, "", path.string());
  CHECK(all.at("repetition") == Spans{{2, 13, 3}, {16, 24, 3}});
  CHECK(value(all, "doc_max_score_repetition") == 3);
  CHECK(value(all, "doc_max_length_repetition") == 11);
  CHECK(value(all, "doc_frac_repetition") == Approx(19.0 / 24));
  CHECK(found("tokenizer_repetitions_v2r2", "nothing here", {}, "", path.string()).empty());
  CHECK(found("tokenizer_repetitions_v2r2", text, {}, "", path.string()).at("repetition") ==
        Spans{{2, 13, 3}, {16, 24, 3}});
  const auto parts =
      found("paragraph_tokenizer_repetitions_v1", "a a a\nb b b", {}, "", path.string());
  CHECK(parts.at("repetition") == Spans{{0, 5, 3}, {6, 11, 3}});
  CHECK(found("paragraph_tokenizer_repetitions_v1", "", {}, "", path.string())
            .at("doc_frac_repetition") == Spans{{0, 0, 0}});
}
