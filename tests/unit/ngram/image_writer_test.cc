#include "ngram/image_writer.h"

#include <set>

#include "catch.h"
#include "io/file.h"
#include "naive_image.h"
#include "ngram/model.h"
#include "oracle.h"

using namespace lm;
using namespace lm::ngram;

namespace {

std::string bytes_of(const ImageView& view) {
  const lm::test::TempDir dir;
  write_image(view, dir.file("m"), false);
  return io::read_file(dir.file("m"));
}

std::string written(const std::string& arpa, i64 memory) {
  const LocalContext ctx(1, memory);
  PagedTarget target(ctx);
  ImageWriter writer(ctx, target);
  read_arpa(ctx, arpa, "m", writer);
  return std::string(target.bytes());
}

/// An ARPA file in no particular order, whose n-grams may lack their parts.
std::string gappy_arpa(u64 seed, int order, i64 words, i64 grams) {
  const RandomStream draw(seed, RandomPurpose::kOther);
  u64 at = 0;
  std::string head = cat("\\data\\\nngram 1=", words + 3, "\n");
  std::string body = "\n\\1-grams:\n-1\t<unk>\n-99\t<s>\t-0.5\n-1\t</s>\n";
  for (i64 w = 0; w < words; ++w)
    append(body, "-", 1 + w % 7, "\tw", w, "\t-0.", w % 3 * 25, "\n");
  for (int n = 2; n <= order; ++n) {
    std::set<std::string> seen;
    append(body, "\n\\", n, "-grams:\n");
    for (i64 i = 0; i < grams; ++i) {
      std::string gram;
      for (int k = 0; k < n; ++k)
        append(gram, k > 0 ? " w" : "w", draw.below(at++, u64(words)));
      if (!seen.insert(gram).second) continue;
      append(body, "-0.", 1 + i % 89, "\t", gram);
      append(body, n < order && i % 3 > 0 ? cat("\t-0.", i % 3, "5\n") : std::string("\n"));
    }
    append(head, "ngram ", n, "=", seen.size(), "\n");
  }
  return head + body + "\n\\end\\\n";
}

/// What inserting into the whole ring gives; at most slots - 1 different hashes.
std::vector<TableCell> inserted(const std::vector<TableEntry>& entries, i64 slots) {
  std::vector<TableCell> cells(usize(slots), TableCell{0, 0});
  for (const TableEntry& entry : entries) {
    std::size_t at = usize(slot_of(entry.hash, slots));
    while (cells[at].hash != 0 && cells[at].hash != entry.hash)
      at = at + 1 == cells.size() ? 0 : at + 1;
    if (cells[at].hash == 0) cells[at] = {entry.hash, entry.payload};
  }
  return cells;
}

}  // namespace

TEST_CASE("a table laid out in pieces is the table filled by insertion", "[ngram]") {
  const LocalContext ctx(1);
  const RandomStream draw(3, RandomPurpose::kOther);
  u64 at = 0;
  i64 wrapped = 0;
  for (int trial = 0; trial < 600; ++trial) {
    INFO(trial);
    const i64 slots = 2 + static_cast<i64>(draw.below(at++, 60));
    const i64 parts = 1 + static_cast<i64>(draw.below(at++, trial % 2 == 0 ? 4 : 70));
    // Crowded hashes make runs that span pieces and go round the ring.
    const u64 narrow = draw.below(at++, 7);
    const u64 shift = draw.bits(at++);
    std::vector<TableEntry> entries;
    Parts<TableEntry> in(ctx, parts, 0);
    Parts<GramMark> marks(ctx, parts, 0);
    for (i64 i = 0; i < slots - 1; ++i) {
      // The inverse of the mixing factor: hashes whose searches start where it is wanted.
      const u64 mixed = shift + (draw.bits(at++) >> narrow);
      const bool again = i > 0 && draw.below(at++, 20) == 0;
      const u64 hash =
          again ? entries[draw.below(at++, u64(i))].hash : mixed * 0xF1DE83E19937733DULL;
      const TableEntry entry{hash, static_cast<u64>(i), std::bit_cast<u64>(Weights{-0.5f, -0.0f})};
      entries.push_back(entry);
      in.push(entry);
    }
    std::vector<TableCell> want = inserted(entries, slots);
    const auto mark = [&](u64 hash, u64 by) {
      marks.push({hash, by});
      for (TableCell& cell : want) {
        if (cell.hash != hash) continue;
        Weights weights = std::bit_cast<Weights>(cell.payload);
        apply_mark(static_cast<GramMark::Kind>(by & 1), weights);
        cell.payload = std::bit_cast<u64>(weights);
      }
    };
    for (std::size_t i = 0; i < entries.size(); i += 2)
      mark(entries[i].hash, i / 2);
    marks.push({12345, 77});
    if (trial % 5 == 0) {
      in.rest();
      marks.rest();
    }
    std::vector<TableCell> got(usize(slots), TableCell{9, 9});
    i64 missing = 0;
    i64 repeated = 0;
    SlotLayout layout(in, slots, ~u64{0}, &marks,
                      {[&] { missing = 0; },
                       [&](i64 first, std::span<const TableCell> cells) {
                         std::copy(cells.begin(), cells.end(), got.begin() + first);
                       },
                       [&](u64) { ++repeated; },
                       [&](const GramMark& m) {
                         CHECK(m.hash == 12345);
                         ++missing;
                       }});
    const i64 placed = layout.run();
    CHECK(missing >= 1);
    std::set<u64> different;
    for (const TableEntry& entry : entries)
      different.insert(entry.hash);
    CHECK(placed == isize(different));
    CHECK((repeated > 0) == (different.size() < entries.size()));
    for (i64 s = 0; s < slots; ++s) {
      REQUIRE(got[usize(s)].hash == want[usize(s)].hash);
      REQUIRE(got[usize(s)].payload == want[usize(s)].payload);
      if (want[usize(s)].hash != 0 && slot_of(want[usize(s)].hash, slots) > s) ++wrapped;
    }
  }
  CHECK(wrapped > 100);
}

TEST_CASE("an image is the same whatever the budget, and what insertion makes", "[ngram]") {
  for (const int order : {1, 2, 3, 5}) {
    EstimateOptions options;
    options.order = order;
    options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
    const LocalContext ctx(1);
    const std::string arpa =
        lm::test::train_arpa(ctx, lm::test::random_lines(8, 6000, 700), options);
    const std::string want = bytes_of(lm::test::NaiveImage(arpa).view());
    CHECK(written(arpa, i64{1} << 20) == want);
    CHECK(written(arpa, i64{16} << 20) == want);
    CHECK(written(arpa, i64{1} << 30) == want);
  }
}

TEST_CASE("gaps in an ARPA file are closed as insertion closes them", "[ngram]") {
  for (u64 seed = 0; seed < 12; ++seed) {
    INFO(seed);
    const int order = 3 + static_cast<int>(seed % 4);
    const std::string arpa =
        gappy_arpa(seed, order, seed % 2 == 0 ? 12 : 400, seed % 3 == 0 ? 20000 : 300);
    const lm::test::NaiveImage naive(arpa);
    const std::string want = bytes_of(naive.view());
    REQUIRE(written(arpa, i64{1} << 20) == want);
    REQUIRE(written(arpa, i64{1} << 30) == want);
  }
}

TEST_CASE("an image into a file equals the one in memory", "[ngram]") {
  const std::string arpa = gappy_arpa(4, 4, 100, 4000);
  const lm::test::TempDir dir;
  const LocalContext ctx(1);
  io::AtomicFile file(dir.file("m"), {false, true});
  REQUIRE(FileTarget::serves(file));
  FileTarget target(file);
  ImageWriter writer(ctx, target, "unit=doc words=blanks normalise=none");
  read_arpa(ctx, arpa, "m", writer);
  CHECK(writer.closing_grams() > 1000);
  file.commit();
  const Model model = Model::load(ctx, dir.file("m"));
  CHECK(model.form() == "unit=doc words=blanks normalise=none");
  ImageView view = model.view();
  view.form = {};
  CHECK(bytes_of(view) == written(arpa, i64{1} << 30));
}

TEST_CASE("words that do not fit the budget are refused with the figure", "[ngram]") {
  std::string arpa = "\\data\\\nngram 1=60002\n\n\\1-grams:\n-99\t<s>\n-1\t</s>\n";
  for (int w = 0; w < 60000; ++w)
    append(arpa, "-5\tword", w, "\n");
  arpa += "\n\\end\\\n";
  try {
    written(arpa, i64{1} << 20);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kOs);
    CHECK_THAT(error.message(), Catch::Matchers::ContainsSubstring("the vocabulary"));
  }
  CHECK(written(arpa, i64{32} << 20) == bytes_of(lm::test::NaiveImage(arpa).view()));
}
