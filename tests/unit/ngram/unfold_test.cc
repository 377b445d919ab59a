#include "ngram/unfold.h"

#include "catch.h"
#include "ngram/cutter.h"
#include "ngram/image_writer.h"
#include "ngram/model.h"
#include "oracle.h"

using namespace lm;
using namespace lm::ngram;

namespace {

const LocalContext ctx(1);

std::string unfolded(const ImageView& view) {
  std::string out;
  ArpaWriter writer([&out](std::string_view bytes) { out.append(bytes); });
  unfold(ctx, view, "m", writer);
  return out;
}

}  // namespace

TEST_CASE("an image gives back the ARPA file it was made of, byte for byte", "[ngram]") {
  const lm::test::TempDir dir;
  for (const int order : {1, 2, 3, 5}) {
    for (const u64 seed : {31u, 32u}) {
      EstimateOptions options;
      options.order = order;
      if (order > 2) options.prune = {0, 0, 1};
      options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
      if (seed == 32) options.vocab_limit = std::vector<std::string>{"w1", "w2", "w3", "w5", "w8"};
      const std::string arpa =
          lm::test::train_arpa(ctx, lm::test::random_lines(seed, 500, 60), options);
      Model model = Model::from_arpa(ctx, arpa, "t");
      CHECK(unfolded(model.view()) == arpa);
      write_image(model.view(), dir.file("m.lmng"));
      CHECK(unfolded(Model::load(ctx, dir.file("m.lmng")).view()) == arpa);
    }
  }
}

TEST_CASE("n-grams that other programs left out appear once, with the model's own probability",
          "[ngram]") {
  // "a b c" without its suffix "b c" and context "a b": both are added.
  const std::string arpa =
      "\\data\\\nngram 1=6\nngram 2=1\nngram "
      "3=1\n\n\\1-grams:\n-1\t<unk>\n-99\t<s>\n-1\t</s>\n-1\ta\t-0.5\n"
      "-1\tb\t-0.25\n-1\tc\n\n\\2-grams:\n-0.5\t<s> a\n\n\\3-grams:\n-0.125\ta b c\n\n\\end\\\n";
  Model model = Model::from_arpa(ctx, arpa, "t");
  const std::string out = unfolded(model.view());
  CHECK(out.find("\n-1.5\ta b\t0\n") != std::string::npos);   // -0.5 of a, -1 of b
  CHECK(out.find("\n-1.25\tb c\t0\n") != std::string::npos);  // -0.25 of b, -1 of c
  CHECK(out.find("ngram 2=3\n") != std::string::npos);
  CHECK(unfolded(Model::from_arpa(ctx, out, "t").view()) == out);
}

TEST_CASE("a damaged image is named, not followed", "[ngram]") {
  EstimateOptions options;
  options.order = 3;
  options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
  Model model = Model::from_arpa(
      ctx, lm::test::train_arpa(ctx, lm::test::random_lines(5, 200, 30), options), "t");
  ImageView view = model.view();
  std::vector<TopSlot> top(view.top.begin(), view.top.end());
  for (TopSlot& slot : top) {
    if (slot_hash(slot) == 0) continue;
    slot.hash_low ^= 0x5A5A5A5A;
    slot.hash_high ^= 0xA5A5A5A5;
    break;
  }
  view.top = top;
  CHECK_THROWS_AS(unfolded(view), Error);
  view = model.view();
  view.counts.back() += 1;
  CHECK_THROWS_AS(unfolded(view), Error);
  std::vector<u64> begins(view.spelling_begin.begin(), view.spelling_begin.end());
  begins[4] = ~u64{0};
  view = model.view();
  view.spelling_begin = begins;
  CHECK_THROWS_AS(unfolded(view), Error);
}

TEST_CASE("an LMNG file carries the text form, and files of version 1 are read", "[ngram]") {
  const lm::test::TempDir dir;
  EstimateOptions options;
  options.order = 2;
  options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
  Model model = Model::from_arpa(
      ctx, lm::test::train_arpa(ctx, lm::test::random_lines(6, 100, 20), options), "t");
  ImageView view = model.view();
  view.form = "unit=doc words=blanks normalise=none";
  write_image(view, dir.file("m.lmng"));
  CHECK(Model::load(ctx, dir.file("m.lmng")).form() == view.form);
  CHECK(parse_form(Model::load(ctx, dir.file("m.lmng")).form(), "m")->unit == SentenceUnit::kDoc);
  // Version 1 differs by the version number alone; its header digest covers that field.
  write_image(model.view(), dir.file("n.lmng"));
  std::string bytes = io::read_file(dir.file("n.lmng"));
  bytes[4] = 1;
  const u64 digest = xxh3_64(std::string_view(bytes).substr(0, 216));
  bytes.replace(216, 8, reinterpret_cast<const char*>(&digest), 8);
  io::write_file(dir.file("old.lmng"), bytes);
  const Model old = Model::load(ctx, dir.file("old.lmng"));
  CHECK(old.form().empty());
  CHECK(unfolded(old.view()) == unfolded(model.view()));
}
