#include "flow/pieces.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "core/str.h"
#include "text/sentences.h"
#include "text/utf8.h"

namespace lm::flow {

using text::Value;
using text::ValueList;

const std::vector<std::string>& unit_names() {
  static const std::vector<std::string> kNames = {"chars", "lines", "tokens", "items", "sentences"};
  return kNames;
}

std::optional<Unit> unit_of(std::string_view name) {
  const std::vector<std::string>& names = unit_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Unit>(found - names.begin());
}

std::vector<Run> runs_of(const std::vector<i64>& weights, i64 size, i64 stride) {
  const i64 n = isize(weights);
  if (n == 0) return {};
  if (size <= 0) return {{0, n}};
  const i64 step = stride <= 0 ? size : stride;
  std::vector<Run> out;
  i64 begin = 0;
  i64 end = 0;
  i64 inside = 0;  // weight of [begin, end)
  for (;;) {
    while (end < n && (end == begin || inside + weights[usize(end)] <= size)) {
      inside += weights[usize(end)];
      ++end;
    }
    out.push_back({begin, end});
    if (end == n) return out;
    const i64 from = begin;
    i64 passed = 0;
    while (begin < end && (begin == from || passed < step)) {
      passed += weights[usize(begin)];
      inside -= weights[usize(begin)];
      ++begin;
    }
  }
}

std::vector<Run> equal_runs(i64 n, i64 size, i64 stride) {
  if (n == 0) return {};
  if (size <= 0) return {{0, n}};
  const i64 step = std::min(stride <= 0 ? size : stride, size);
  std::vector<Run> out;
  for (i64 begin = 0;; begin += step) {
    out.push_back({begin, std::min(n, begin + size)});
    if (out.back().end == n) return out;
  }
}

namespace {

/// The parts of a text that runs of its code points are. Begins ascend, and so do ends.
ValueList cut_code_points(const std::string& text, const std::vector<Run>& runs) {
  std::vector<i64> begins;
  std::vector<i64> ends;
  i64 at = 0;
  i64 point = 0;
  for (;;) {
    while (begins.size() < runs.size() && runs[begins.size()].begin == point)
      begins.push_back(at);
    while (ends.size() < runs.size() && runs[ends.size()].end == point)
      ends.push_back(at);
    if (at == isize(text)) break;
    at += text::sequence_size(text[usize(at)]);
    ++point;
  }
  ValueList out;
  for (std::size_t i = 0; i < runs.size(); ++i)
    out.emplace_back(text.substr(usize(begins[i]), usize(ends[i] - begins[i])));
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t lf = std::min(text.find('\n'), text.size() - 1);
    out.push_back(text.substr(0, lf + 1));
    text.remove_prefix(lf + 1);
  }
  return out;
}

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// Words with the blanks before them; blanks at the end belong to the last.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && is_blank(text[at]))
      ++at;
    while (at < text.size() && !is_blank(text[at]))
      ++at;
    if (std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_blank))
      at = text.size();
    out.push_back(text.substr(begin, at - begin));
    begin = at;
  }
  return out;
}

constexpr const char* kPieces = "pieces";
/// Of a piece beside what it is cut from: its run, its places, its value and what shares that.
constexpr i64 kPieceBytes = static_cast<i64>(sizeof(Run) + sizeof(Value)) + 16 + 64;

/// Charges equal_runs() of n units that take `bytes` together, and their pieces.
void charge_equal(MemoryHold& memory, i64 n, i64 bytes, const Cut& cut) {
  if (n == 0) return;
  const i64 size = cut.size <= 0 ? n : std::min(cut.size, n);
  const i64 step = cut.stride <= 0 ? size : std::min(cut.stride, size);
  const f64 runs = static_cast<f64>(1 + (n - size + step - 1) / step);
  const f64 each = static_cast<f64>(size) * static_cast<f64>(bytes) / static_cast<f64>(n);
  memory.add(static_cast<i64>(std::min(runs * (each + static_cast<f64>(kPieceBytes)), 9e18)),
             kPieces);
}

/// Units of a text at most. O(n).
i64 most_units(std::string_view text, const Cut& cut) {
  if (cut.keep_sentences || cut.by == Unit::kSentences) return isize(text) / 2 + 1;
  if (cut.by == Unit::kLines) return std::count(text.begin(), text.end(), '\n') + 1;
  i64 words = 1;
  for (std::size_t i = 1; i < text.size(); ++i)
    words += is_blank(text[i - 1]) && !is_blank(text[i]) ? 1 : 0;
  return words;
}

std::vector<std::string_view> units_of(const std::string& text, const Cut& cut) {
  std::vector<std::string_view> out;
  if (cut.keep_sentences || cut.by == Unit::kSentences) {
    text::sentences(text, out);
    return out;
  }
  if (cut.by == Unit::kLines) return lines_of(text);
  return words_of(text);
}

}  // namespace

Result<ValueList> cut_pieces(const Value& whole, const Cut& cut, const CountTokens& count,
                             MemoryBudget* memory) {
  ValueList out;
  MemoryHold made(memory);
  if (whole.is_list()) {
    if (cut.by != Unit::kItems)
      return Fault{"type", "a list is cut by items, not by other units", -1};
    const ValueList& items = whole.list();
    charge_equal(made, isize(items), isize(items) * static_cast<i64>(sizeof(Value)), cut);
    for (const Run& run : equal_runs(isize(items), cut.size, cut.stride))
      out.emplace_back(ValueList(items.begin() + run.begin, items.begin() + run.end));
    return out;
  }
  if (!whole.is_string() || cut.by == Unit::kItems)
    return Fault{"type",
                 cat("type ", whole.type_name(), " has no pieces of ",
                     unit_names()[static_cast<std::size_t>(cut.by)]),
                 -1};
  const std::string& text = whole.str();
  if (cut.by == Unit::kChars && !cut.keep_sentences) {
    const i64 n = text::count_code_points(text);
    charge_equal(made, n, isize(text), cut);
    return cut_code_points(text, equal_runs(n, cut.size, cut.stride));
  }
  constexpr i64 kUnitBytes = static_cast<i64>(sizeof(std::string_view) + sizeof(i64));
  made.add(2 * kUnitBytes * most_units(text, cut), kPieces);  // vectors grow by doubling
  const std::vector<std::string_view> units = units_of(text, cut);
  std::vector<i64> weights(units.size(), 1);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (cut.by == Unit::kTokens) weights[i] = count(std::string(units[i]));
    if (cut.by == Unit::kChars && cut.keep_sentences)
      weights[i] = text::count_code_points(units[i]);
  }
  made.add(2 * static_cast<i64>(sizeof(Run)) * isize(units), kPieces);
  const std::vector<Run> runs = runs_of(weights, cut.size, cut.stride);
  const auto piece = [&](const Run& run) {
    const char* const begin = units[usize(run.begin)].data();
    const std::string_view last = units[usize(run.end - 1)];
    return std::string_view(begin, static_cast<std::size_t>(last.data() + last.size() - begin));
  };
  i64 bytes = 0;
  for (const Run& run : runs)
    bytes += isize(piece(run)) + kPieceBytes;
  made.add(bytes, kPieces);
  out.reserve(runs.size());
  for (const Run& run : runs)
    out.emplace_back(piece(run));
  return out;
}

}  // namespace lm::flow
