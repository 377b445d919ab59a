#include "transform/infill_text.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "text/segment.h"
#include "text/word_break.h"

namespace lm::transform {

namespace {

constexpr i32 kFirstSentinel = 1 << 30;
constexpr i64 kMasks = 10000;

}  // namespace

InfillText::InfillText(text::InfillFormat format) : format_(std::move(format)) {
  i32 next = kFirstSentinel;
  const auto name = [&](const std::vector<std::string>& spellings, std::string_view role) {
    if (spellings.empty())
      throw Error(ErrorKind::kUsage,
                  cat("the ", role, " token of the format ", quote(format_.name),
                      " is that of a tokenizer"),
                  "-m FILE names the tokenizer");
    for (const auto& [known, id] : names_)
      if (known == spellings.front()) return id;
    names_.emplace_back(spellings.front(), next);
    return next++;
  };
  tokens_.layout = format_.layout;
  tokens_.end = name(format_.end, "end");
  const bool masks = format_.layout == text::InfillLayout::kMasks;
  tokens_.eos = masks ? name(format_.eos, "end-of-text") : tokens_.end;
  if (masks) {
    tokens_.sep = name(format_.sep, "separating");
    const std::string& mask = format_.mask.front();
    mask_begin_ = mask.substr(0, mask.find('%'));
    mask_end_ = mask.substr(mask.find('%') + 1);
    for (i64 i = 0; i < kMasks; ++i)
      tokens_.masks.push_back(next++);
  } else {
    tokens_.prefix = name(format_.prefix, "prefix");
    tokens_.suffix = name(format_.suffix, "suffix");
    tokens_.middle = name(format_.middle, "middle");
  }
  for (i32 id = kFirstSentinel; id < next; ++id)
    tokens_.sentinels.push_back(id);
  std::sort(names_.begin(), names_.end(),
            [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

std::vector<Span> InfillText::pieces(std::string_view text) {
  std::vector<Span> out;
  text::WordSegments all(text);
  i64 begin = 0;
  for (std::string_view segment; all.next(segment);) {
    if (text::is_blank(segment)) continue;
    const i64 end = (segment.data() - text.data()) + isize(segment);
    out.push_back({begin, end});
    begin = end;
  }
  if (begin < isize(text)) out.push_back({begin, isize(text)});
  return out;
}

std::optional<InfillText::Found> InfillText::next_sentinel(std::string_view text, i64 from) const {
  for (i64 at = from; at < isize(text); ++at) {
    const std::string_view here = text.substr(usize(at));
    for (const auto& [name, id] : names_)
      if (here.starts_with(name)) return Found{at, isize(name), id};
    if (tokens_.masks.empty() || !here.starts_with(mask_begin_)) continue;
    i64 number = 0;
    std::size_t digits = mask_begin_.size();
    while (digits < here.size() && here[digits] >= '0' && here[digits] <= '9' && number <= kMasks)
      number = number * 10 + (here[digits++] - '0');
    if (number >= 1 && number <= kMasks && here.substr(digits).starts_with(mask_end_))
      return Found{at, static_cast<i64>(digits + mask_end_.size()),
                   tokens_.masks[usize(number - 1)]};
  }
  return std::nullopt;
}

std::string InfillText::name_of(i32 id) const {
  for (const auto& [name, known] : names_)
    if (known == id) return name;
  return cat(mask_begin_, id - tokens_.masks.front() + 1, mask_end_);
}

std::optional<std::string> InfillText::sentinel_in(std::string_view text) const {
  const std::optional<Found> found = next_sentinel(text, 0);
  if (!found) return std::nullopt;
  return std::string(text.substr(usize(found->begin), usize(found->size)));
}

std::string InfillText::spell(const InfillRow& row, std::string_view text,
                              std::span<const Span> pieces) const {
  std::string out;
  for (const i32 id : row.ids)
    out += id >= kFirstSentinel ? name_of(id) : std::string(part(text, pieces[usize(id)]));
  return out;
}

std::optional<std::string> InfillText::restore(std::string_view row) const {
  std::vector<Span> pieces;
  std::vector<i32> ids;
  i64 at = 0;
  const auto add_piece = [&](i64 end) {
    if (at == end) return;
    ids.push_back(static_cast<i32>(pieces.size()));
    pieces.push_back({at, end});
  };
  while (const std::optional<Found> found = next_sentinel(row, at)) {
    add_piece(found->begin);
    ids.push_back(found->id);
    at = found->begin + found->size;
  }
  if (at == 0) return std::string(row);
  add_piece(isize(row));
  const std::optional<text::InfilledRow> read = text::read_infilled_row(tokens_, ids);
  if (!read) return std::nullopt;
  std::string out;
  const auto add = [&](const std::vector<i32>& some) {
    for (const i32 id : some)
      out += part(row, pieces[usize(id)]);
  };
  for (std::size_t i = 0; i < read->kept.size(); ++i) {
    add(read->kept[i]);
    if (i < read->fillings.size()) add(read->fillings[i]);
  }
  return out;
}

}  // namespace lm::transform
