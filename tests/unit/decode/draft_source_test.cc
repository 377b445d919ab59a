#include "decode/draft_source.h"

#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"

using namespace lm;
using namespace lm::decode;

namespace {

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return cat(static_cast<int>(error.kind() == ErrorKind::kData), " ", error.message());
  }
  return "";
}

std::vector<i32> guesses(Drafter& drafter, const std::vector<i32>& history) {
  DraftTree tree;
  drafter.propose(history, 4, tree);
  keep_chain(tree);
  std::vector<i32> out;
  for (const DraftNode& node : tree)
    out.push_back(node.token);
  return out;
}

}  // namespace

TEST_CASE("texts for drafts are kept across runs, the last ones", "[decode]") {
  const test::TempDir dir;
  const std::string path = (dir.path() / "drafts").string();
  DraftTexts texts;
  texts.add(std::vector<i32>{1, 2, 3});
  texts.add(std::vector<i32>{});
  texts.add(std::vector<i32>{4, 100000});
  texts.add(std::vector<i32>{1, 2, 3});  // again: now the last
  CHECK(texts.texts() == std::vector<std::vector<i32>>{{4, 100000}, {1, 2, 3}});
  texts.save(path, 77);
  DraftTexts read;
  read.load(path, 77);
  CHECK(read.texts() == texts.texts());

  const std::vector<i32> long_text(usize(DraftTexts::kMostTokens - 3), 9);
  read.add(long_text);
  CHECK(read.texts() == std::vector<std::vector<i32>>{{1, 2, 3}, long_text});
  read.add(std::vector<i32>(usize(DraftTexts::kMostTokens + 1), 8));  // alone too long
  CHECK(read.texts().size() == 2);

  CHECK(message_of([&] { read.load(path, 78); }) ==
        cat("1 ", path, ": was written with another tokenizer"));
  const std::string whole = io::read_file(path);
  const auto write = [&](std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  };
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(std::string_view(whole).substr(0, size));
    CHECK(message_of([&] { DraftTexts().load(path, 77); }).starts_with("1 "));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string torn = whole;
    torn[at] = static_cast<char>(torn[at] ^ 64);
    write(torn);
    CHECK(message_of([&] { DraftTexts().load(path, 77); }).starts_with("1 "));
  }
  // A length beyond the file, under a digest that is right.
  std::string hostile = whole.substr(0, whole.size() - 8);
  hostile[24] = hostile[25] = hostile[26] = '\x7f';
  const u64 digest = xxh3_64(hostile);
  for (int i = 0; i < 8; ++i)
    hostile += static_cast<char>(digest >> (8 * i) & 255);
  write(hostile);
  CHECK(message_of([&] { DraftTexts().load(path, 77); }) ==
        cat("1 ", path, ": is damaged: a part is longer than the file"));
}

TEST_CASE("drafters learn from each other where they may", "[decode]") {
  for (const std::string& name : DraftSource::names()) {
    CAPTURE(name);
    const std::vector<i32> text = {5, 6, 7, 8, 9, 10};
    DraftTexts earlier;
    earlier.add(text);
    const bool remembers = name != "prompt-lookup";
    DraftSource read(name, true, earlier);
    CHECK(read.rows() >= 1);
    CHECK(read.rows() <= kMostDraft);
    CHECK(guesses(*read.make(), {6, 7}).empty() == !remembers);
    DraftSource shared(name, true);
    shared.make()->finish(text);
    CHECK(shared.texts().texts() == std::vector<std::vector<i32>>{text});
    // ADED changes its weights while a text is written, not when it is done.
    if (name == "ngram" || name == "suffix") CHECK(guesses(*shared.make(), {6, 7})[0] == 8);
    DraftSource alone(name, false, earlier);
    alone.make()->finish(text);
    CHECK(guesses(*alone.make(), {6, 7}).empty());
  }
  CHECK_THROWS_AS(DraftSource("nothing", false), Error);
}
