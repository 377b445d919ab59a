// What a list names goes: the words alone or the lines that have them (OLMo 3; datamap-rs).

#include <array>
#include <cstring>
#include <optional>

#include "clean/cleaner.h"
#include "clean/lines.h"
#include "core/error.h"
#include "core/str.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/word_break.h"

namespace lm::clean {

CleanerDef ban_lines_cleaner();

namespace {

enum Type : i64 { kEntry, kLine };
enum Option : i64 { kList, kMatch, kRemove, kMaxWords };
enum class Place { kAny, kPrefix, kSuffix };

/// The entries of a file, one a line.
std::vector<std::string> read_entries(const OptionValues& options) {
  const std::string& name = options.path(kList);
  if (!text::is_valid_utf8(options.text(kList)))
    throw Error(ErrorKind::kData, cat(name, ": is no UTF-8"));
  std::vector<std::string> entries;
  for (std::string_view line : text::lines_n(options.text(kList))) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) entries.emplace_back(line);
  }
  if (entries.empty()) throw Error(ErrorKind::kData, cat(name, ": has no entries"));
  return entries;
}

/// White space that ends at a byte, as its size; 0 for other characters.
i64 space_before(std::string_view text, i64 at) {
  if (at == 0) return 0;
  i64 begin = at - 1;
  while (begin > 0 && (static_cast<u8>(text[usize(begin)]) & 0xC0) == 0x80)
    --begin;
  const char* p = text.data() + begin;
  return text::is_white_space(text::next_valid(p)) ? at - begin : 0;
}

i64 space_at(std::string_view text, i64 at) {
  if (at == isize(text)) return 0;
  const char* p = text.data() + at;
  return text::is_white_space(text::next_valid(p)) ? p - (text.data() + at) : 0;
}

class BanLines : public Cleaner {
 public:
  explicit BanLines(const OptionValues& options)
      : entries_(read_entries(options)),
        place_(static_cast<Place>(options.count(kMatch))),
        whole_lines_(options.on(kRemove)),
        max_words_(options.count(kMaxWords)) {
    for (const std::string& entry : entries_)
      first_[static_cast<u8>(entry.front())] = true;
  }

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    const std::span<const tag::Range> lines = document.lines_n();
    LineDropper dropper(lines, out);
    for (i64 i = 0; i < isize(lines); ++i) {
      std::string_view line = document.slice(lines[usize(i)]);
      if (line.ends_with('\r')) line.remove_suffix(1);
      find(line);
      if (found_.empty()) continue;
      if (max_words_ > 0 && text::count_words_u29(line) > max_words_) continue;
      if (whole_lines_ || leaves_blank(line)) {
        dropper.drop(i, kLine);
        continue;
      }
      for (const tag::Range r : found_)
        take_out(line, r, lines[usize(i)].begin, out);
    }
    dropper.finish();
  }

 private:
  /// Bytes of the first entry that stands at `at`, 0 if none does.
  std::size_t entry_at(std::string_view line, std::size_t at) const {
    if (!first_[static_cast<u8>(line[at])]) return 0;
    for (const std::string& entry : entries_)
      if (line.substr(at, entry.size()) == entry) return entry.size();
    return 0;
  }

  /// Entries with one white space on each side, or on the inner one of a prefix or suffix.
  void find(std::string_view line) {
    found_.clear();
    const i64 size = isize(line);
    if (place_ == Place::kSuffix) {
      i64 begin = size;  // the longest
      for (const std::string& entry : entries_)
        if (line.ends_with(entry)) begin = std::min(begin, size - isize(entry));
      if (begin < size) found_.push_back({begin - space_before(line, begin), size});
      return;
    }
    i64 reached = 0;
    for (i64 at = 0; at < size && (place_ == Place::kAny || at == 0); ++at) {
      const i64 matched = static_cast<i64>(entry_at(line, usize(at)));
      if (matched == 0) continue;
      const i64 before = at > reached ? space_before(line, at) : 0;
      const i64 end = at + matched + space_at(line, at + matched);
      found_.push_back({at - before, end});
      reached = end;
      at = end - 1;
    }
  }

  bool leaves_blank(std::string_view line) const {
    i64 reached = 0;
    for (const tag::Range r : found_) {
      if (!text::is_blank(line.substr(usize(reached), usize(r.begin - reached)))) return false;
      reached = r.end;
    }
    return text::is_blank(line.substr(usize(reached)));
  }

  /// In the middle of a line one blank stays: one that is there, if possible.
  void take_out(std::string_view line, tag::Range r, i64 offset, Findings& out) const {
    const i64 begin = offset + r.begin;
    const i64 end = offset + r.end;
    if (place_ != Place::kAny) {
      out.remove(begin, end, kEntry);
    } else if (line[usize(r.begin)] == ' ') {
      out.remove(begin + 1, end, kEntry);
    } else if (line[usize(r.end - 1)] == ' ') {
      out.remove(begin, end - 1, kEntry);
    } else {
      out.edits.push_back({begin, end, kEntry, " "});
    }
  }

  std::vector<std::string> entries_;
  Place place_;
  bool whole_lines_;
  i64 max_words_;
  std::array<bool, 256> first_{};  // bytes that entries begin with
  std::vector<tag::Range> found_;  // in the line at hand
};

}  // namespace

CleanerDef ban_lines_cleaner() {
  return {"ban-lines",
          "words of a list go, or the lines that have them",
          "OLMo 3; datamap-rs",
          {{"entry", "an entry of the list, with blanks around it"},
           {"line", "a line with an entry, or of which nothing is left"}},
          {},
          {{"list", OptionKind::kFile, "", "the words and phrases, one a line, case sensitive"},
           {"match",
            OptionKind::kChoice,
            "any",
            "where in a line they stand",
            {"any", "prefix", "suffix"}},
           {"remove", OptionKind::kChoice, "entry", "what goes", {"entry", "line"}},
           {"max-words", OptionKind::kCount, "0", "leave lines of more words alone; 0: none"}},
          [](const OptionValues& options) { return std::make_unique<BanLines>(options); }};
}

}  // namespace lm::clean
