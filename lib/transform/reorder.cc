#include "transform/reorder.h"

#include <algorithm>
#include <numeric>

#include "core/str.h"
#include "io/json.h"
#include "text/script.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::transform {

namespace {

char32_t last_of(std::string_view text) {
  i64 at = isize(text) - 1;
  while (at > 0 && (static_cast<u8>(text[usize(at)]) & 0xC0) == 0x80)
    --at;
  return decode_at(text, at).cp;
}

/// Characters of scripts without blanks between words, and the marks that come with them.
bool is_unspaced(char32_t cp) {
  if (cp >= 0x3000 && cp <= 0x303F) return true;
  if (cp >= 0xFF00 && cp <= 0xFFEF) return true;
  const std::string_view script = text::kScriptNames[text::script_of(cp)];
  for (const std::string_view one :
       {"han", "hiragana", "katakana", "bopomofo", "thai", "lao", "khmer", "myanmar", "tibetan"})
    if (script == one) return true;
  return false;
}

bool is_dash(char32_t cp) {
  return cp == 0x2014 || cp == 0x2015;
}

Fault misfit(std::string_view what) {
  return {"range", cat("what was moved does not fit: ", what), -1};
}

/// Copies sequence with each body replaced by its units in their first order; put_gap writes what
/// stood behind unit i.
template <typename Sequence, typename PutGap>
std::optional<Fault> restore(const Sequence& in, std::span<const Moved> moved, Sequence& out,
                             PutGap put_gap) {
  i64 at = 0;
  const auto copy = [&](i64 begin, i64 end) {
    out.insert(out.end(), in.begin() + begin, in.begin() + end);
  };
  for (const Moved& one : moved) {
    if (one.body.begin < at || one.body.end < one.body.begin || one.body.end > isize(in))
      return misfit("a sentence lies outside of what there is");
    if (!one.gaps.empty() && one.gaps.size() + 1 != one.units.size())
      return misfit("gaps are not one less than units");
    copy(at, one.body.begin);
    for (std::size_t i = 0; i < one.units.size(); ++i) {
      const Span unit = one.units[i];
      if (unit.begin < one.body.begin || unit.end < unit.begin || unit.end > one.body.end)
        return misfit("a unit lies outside of its sentence");
      copy(unit.begin, unit.end);
      if (i + 1 < one.units.size()) put_gap(one, i, out);
    }
    at = one.body.end;
  }
  copy(at, isize(in));
  return std::nullopt;
}

std::optional<Span> read_span(const io::JsonNode& node) {
  if (!node.is_array() || node.size() != 2) return std::nullopt;
  const std::optional<i64> begin = node.item(0).as_integer();
  const std::optional<i64> end = node.item(1).as_integer();
  if (!begin || !end) return std::nullopt;
  return Span{*begin, *end};
}

/// False for what is no such object.
bool read_one(const io::JsonNode& node, Moved& out) {
  if (!node.is_object()) return false;
  const std::optional<io::JsonNode> at = node.maybe("at");
  const std::optional<io::JsonNode> units = node.maybe("units");
  const std::optional<io::JsonNode> gaps = node.maybe("gaps");
  if (!at || !units || !units->is_array() || (gaps && !gaps->is_array())) return false;
  const std::optional<Span> body = read_span(*at);
  if (!body) return false;
  out.body = *body;
  bool good = true;
  units->each_item([&](const io::JsonNode& item) {
    const std::optional<Span> span = read_span(item);
    if (span)
      out.units.push_back(*span);
    else
      good = false;
  });
  if (gaps) {
    gaps->each_item([&](const io::JsonNode& item) {
      const std::optional<std::string_view> gap = item.as_string();
      if (gap)
        out.gaps.emplace_back(*gap);
      else
        good = false;
    });
  }
  return good;
}

}  // namespace

std::vector<i64> draw_order(const OrderOdds& odds, i64 units, DrawRow draws) {
  std::vector<i64> z(usize(units));
  std::iota(z.begin(), z.end(), i64{0});
  const f64 u = draws.uniform() * (odds.identity + odds.reverse + odds.uniform);
  if (u < odds.identity) return z;
  if (u < odds.identity + odds.reverse) {
    std::reverse(z.begin(), z.end());
    return z;
  }
  // Odds of zero are never drawn, though u may round to the sum.
  if (odds.uniform <= 0) {
    if (odds.reverse > 0) std::reverse(z.begin(), z.end());
    return z;
  }
  for (i64 i = units - 1; i > 0; --i)
    std::swap(z[usize(i)], z[usize(draws.below(i + 1))]);
  return z;
}

bool is_identity(std::span<const i64> order) {
  return std::is_sorted(order.begin(), order.end());
}

std::string_view joint(std::string_view left, std::string_view right) {
  const char32_t a = last_of(left);
  const char32_t b = decode_at(right, 0).cp;
  constexpr u32 kOpening =
      text::category_bit(text::Category::kPs) | text::category_bit(text::Category::kPi);
  constexpr u32 kClosing =
      text::category_bit(text::Category::kPe) | text::category_bit(text::Category::kPf);
  if (b < 0x80 && std::string_view(",.;:?!").find(static_cast<char>(b)) != std::string_view::npos)
    return "";
  if (text::in_categories(b, kClosing) || text::in_categories(a, kOpening)) return "";
  if (is_dash(a) || is_dash(b)) return "";
  return is_unspaced(a) && is_unspaced(b) ? "" : " ";
}

ReorderedText reorder_text(std::string_view text, std::span<const OrderedSentence> sentences) {
  ReorderedText out;
  out.text.reserve(text.size() + text.size() / 16);
  i64 at = 0;
  for (const OrderedSentence& sentence : sentences) {
    if (is_identity(sentence.order)) continue;
    const std::vector<Span>& units = sentence.units;
    out.text += part(text, {at, units.front().begin});
    Moved moved;
    moved.body.begin = isize(out.text);
    moved.units.resize(units.size());
    for (std::size_t i = 0; i < units.size(); ++i) {
      const i64 unit = sentence.order[i];
      const std::string_view now = part(text, units[usize(unit)]);
      if (i > 0) {
        const i64 last = sentence.order[i - 1];
        const bool stood_together =
            unit == last + 1 && units[usize(last)].end == units[usize(unit)].begin;
        if (!stood_together) out.text += joint(part(text, units[usize(last)]), now);
      }
      const i64 begin = isize(out.text);
      out.text += now;
      moved.units[usize(unit)] = {begin, isize(out.text)};
    }
    moved.body.end = isize(out.text);
    bool blanks = true;
    for (std::size_t i = 0; i + 1 < units.size(); ++i) {
      moved.gaps.emplace_back(part(text, {units[i].end, units[i + 1].begin}));
      blanks = blanks && moved.gaps.back() == " ";
    }
    if (blanks) moved.gaps.clear();
    at = units.back().end;
    out.moved.push_back(std::move(moved));
  }
  out.text += text.substr(usize(at));
  return out;
}

Result<std::string> restore_text(std::string_view text, std::span<const Moved> moved) {
  std::string out;
  const std::optional<Fault> fault =
      restore(std::string(text), moved, out, [](const Moved& one, std::size_t i, std::string& to) {
        to += one.gaps.empty() ? " " : one.gaps[i];
      });
  if (fault) return *fault;
  return out;
}

ReorderedIds reorder_ids(std::span<const i32> ids, std::span<const OrderedSentence> sentences) {
  ReorderedIds out;
  i64 at = 0;
  const auto copy = [&](i64 begin, i64 end) {
    out.ids.insert(out.ids.end(), ids.begin() + begin, ids.begin() + end);
  };
  for (const OrderedSentence& sentence : sentences) {
    if (is_identity(sentence.order)) continue;
    copy(at, sentence.units.front().begin);
    Moved moved;
    moved.body.begin = isize(out.ids);
    moved.units.resize(sentence.units.size());
    for (const i64 unit : sentence.order) {
      const i64 begin = isize(out.ids);
      copy(sentence.units[usize(unit)].begin, sentence.units[usize(unit)].end);
      moved.units[usize(unit)] = {begin, isize(out.ids)};
    }
    moved.body.end = isize(out.ids);
    at = sentence.units.back().end;
    out.moved.push_back(std::move(moved));
  }
  copy(at, isize(ids));
  return out;
}

Result<std::vector<i32>> restore_ids(std::span<const i32> ids, std::span<const Moved> moved) {
  std::vector<i32> out;
  const std::optional<Fault> fault = restore(std::vector<i32>(ids.begin(), ids.end()), moved, out,
                                             [](const Moved&, std::size_t, std::vector<i32>&) {});
  if (fault) return *fault;
  return out;
}

std::string moved_json(std::span<const Moved> moved) {
  std::string out = "[";
  for (const Moved& one : moved) {
    append(out, out.size() > 1 ? "," : "", "{\"at\":[", one.body.begin, ",", one.body.end,
           "],\"units\":[");
    for (std::size_t i = 0; i < one.units.size(); ++i)
      append(out, i > 0 ? "," : "", "[", one.units[i].begin, ",", one.units[i].end, "]");
    out += "]";
    for (std::size_t i = 0; i < one.gaps.size(); ++i) {
      out += i > 0 ? "," : ",\"gaps\":[";
      io::append_json_string(out, one.gaps[i]);
    }
    out += one.gaps.empty() ? "}" : "]}";
  }
  return out + "]";
}

Result<std::vector<Moved>> read_moved(const io::JsonNode& root, std::string_view name) {
  std::vector<Moved> out;
  bool good = root.is_array();
  if (good) {
    root.each_item([&](const io::JsonNode& item) {
      if (good) good = read_one(item, out.emplace_back());
    });
  }
  if (!good)
    return Fault{"type", cat("field ", quote(name), " is no list of what a re-ordering moved"), -1};
  return out;
}

}  // namespace lm::transform
