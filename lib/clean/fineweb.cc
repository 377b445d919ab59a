// FineWeb's own filters (Penedo et al. 2024, section 3.6): documents of lists, menus and copies are
// dropped. The measures are the tagger's.

#include "tag/fineweb.h"

#include "clean/cleaner.h"
#include "core/str.h"

namespace lm::clean {

CleanerDef fineweb_cleaner();

namespace {

enum Reason : i64 { kEmpty, kNoMarks, kShortLines, kCopies, kList };
enum Option : i64 { kEnds, kShorts, kShortLength, kDuplicates, kNewlines };

class FineWeb : public Cleaner {
 public:
  explicit FineWeb(const OptionValues& options)
      : ends_(options.number(kEnds)),
        shorts_(options.number(kShorts)),
        short_length_(options.count(kShortLength)),
        copies_(options.number(kDuplicates)),
        newlines_(options.number(kNewlines)) {}

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    const auto [ends, shorts, copies, newlines] = meter_.measure(document, short_length_);
    out.drop = document.words().empty() ? i64{kEmpty}
               : ends < ends_           ? i64{kNoMarks}
               : shorts > shorts_       ? i64{kShortLines}
               : copies > copies_       ? i64{kCopies}
               : newlines > newlines_   ? i64{kList}
                                        : i64{-1};
  }

 private:
  f64 ends_;
  f64 shorts_;
  i64 short_length_;
  f64 copies_;
  f64 newlines_;
  tag::FineWebMeter meter_;
};

}  // namespace

CleanerDef fineweb_cleaner() {
  return {"fineweb",
          "documents of lists, menus and copies are dropped",
          "Penedo et al. 2024, 3.6; datatrove",
          {},
          {{"empty", "nothing but white space"},
           {"line_ends", "too few lines end a sentence"},
           {"short_lines", "too many lines are short"},
           {"duplicate_lines", "too many characters are in lines that stood before"},
           {"newlines", "too many newlines for the words"}},
          {{"ends", OptionKind::kShare, cat(tag::kFineWebEnds),
            "share of lines that end a sentence, at least"},
           {"short", OptionKind::kShare, cat(tag::kFineWebShorts), "share of short lines, at most"},
           {"short-length", OptionKind::kCount, cat(tag::kFineWebShort),
            "characters of a short line, at most"},
           {"duplicates", OptionKind::kShare, cat(tag::kFineWebCopies),
            "share of characters in lines that stood before, at most"},
           {"newlines", OptionKind::kNumber, cat(tag::kFineWebNewlines),
            "newlines over words, at most"}},
          [](const OptionValues& options) { return std::make_unique<FineWeb>(options); }};
}

}  // namespace lm::clean
