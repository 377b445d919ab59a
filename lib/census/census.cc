#include "census/census.h"

#include <bit>

#include "core/error.h"
#include "core/str.h"

namespace lm::census {

namespace {

constexpr i64 kNumbersBytes = 1400;  // of a Numbers beside its table
constexpr i64 kFieldBytes = 200;
constexpr i64 kMostCount = i64{1} << 62;

i64 index_of(std::string_view name, i64 size, PartReader& in) {
  const std::optional<i64> index = parse_int(name);
  if (!index || *index < 0 || *index >= size) in.fail("belongs to nothing that is counted");
  return *index;
}

}  // namespace

void Totals::add(const Totals& other) {
  documents += other.documents;
  line_bytes += other.line_bytes;
  without_text += other.without_text;
  empty += other.empty;
  without_id += other.without_id;
  bytes += other.bytes;
  chars += other.chars;
  words += other.words;
  tokens += other.tokens;
  kept += other.kept;
  kept_line_bytes += other.kept_line_bytes;
  kept_tokens += other.kept_tokens;
  if (other.longest >= 0) offer(other.longest, other.longest_source, other.longest_id);
}

void Totals::offer(i64 text_bytes, std::string_view source, std::string_view id) {
  if (text_bytes < longest) return;
  if (text_bytes == longest && std::pair(source, id) >= std::pair(std::string_view(longest_source),
                                                                  std::string_view(longest_id)))
    return;
  longest = text_bytes;
  longest_source = source;
  longest_id = id;
}

void Totals::save(PartWriter& out) const {
  for (const i64 count : {documents, line_bytes, without_text, empty, without_id, bytes, chars,
                          words, tokens, kept, kept_line_bytes, kept_tokens, longest})
    out.number(count);
  out.text(longest_source);
  out.text(longest_id);
}

void Totals::load(PartReader& in) {
  Totals other;
  for (i64* const count : {&other.documents, &other.line_bytes, &other.without_text, &other.empty,
                           &other.without_id, &other.bytes, &other.chars, &other.words,
                           &other.tokens, &other.kept, &other.kept_line_bytes, &other.kept_tokens})
    *count = in.count();
  other.longest = in.number(-1, kMostCount);
  other.longest_source = in.text();
  other.longest_id = in.text();
  add(other);
}

void Field::add(const Field& other) {
  nulls += other.nulls;
  empty += other.empty;
  unfit += other.unfit;
  value.add(other.value);
  plain += other.plain;
  whole += other.whole;
  for (const auto& [mine, theirs] : {std::pair(&spans, &other.spans), {&covered, &other.covered}}) {
    if (!*theirs) continue;
    if (!*mine)
      *mine = std::make_unique<Numbers>(**theirs);
    else
      (*mine)->add(**theirs);
  }
}

Numbers Field::all_spans() const {
  Numbers out = spans ? *spans : Numbers(false);
  out.add(1, whole);
  return out;
}

Numbers Field::all_covered() const {
  Numbers out = covered ? *covered : Numbers(false);
  out.add(1, whole);
  return out;
}

i64 Field::bytes() const {
  i64 sum = kFieldBytes + kNumbersBytes + value.bytes();
  if (spans) sum += kNumbersBytes + spans->bytes();
  if (covered) sum += kNumbersBytes + covered->bytes();
  return sum;
}

void Field::save(PartWriter& out) const {
  for (const i64 count : {nulls, empty, unfit, plain, whole})
    out.number(count);
  value.save(out);
  out.number(spans ? 1 : 0);
  if (spans) spans->save(out);
  out.number(covered ? 1 : 0);
  if (covered) covered->save(out);
}

void Field::load(PartReader& in) {
  for (i64* const count : {&nulls, &empty, &unfit, &plain, &whole})
    *count = in.count();
  value.load(in);
  for (std::unique_ptr<Numbers>* const part : {&spans, &covered}) {
    if (in.number(0, 1) == 0) continue;
    *part = std::make_unique<Numbers>(false);
    (*part)->load(in);
  }
}

Field* Fields::at(std::string_view path) {
  auto found = fields_.find(path);
  if (found != fields_.end()) return &found->second;
  if (std::countl_zero(xxh3_64(path)) < level_) return nullptr;
  fields_.emplace(path, Field(exact_));
  while (isize(fields_) > kMost)
    raise(level_ + 1);
  found = fields_.find(path);
  return found == fields_.end() ? nullptr : &found->second;
}

void Fields::raise(i64 level) {
  if (level <= level_) return;
  level_ = level;
  std::erase_if(fields_,
                [level](const auto& one) { return std::countl_zero(xxh3_64(one.first)) < level; });
}

void Fields::add(const Fields& other) {
  raise(other.level_);
  for (const auto& [path, field] : other.fields_) {
    if (Field* const mine = at(path)) mine->add(field);
  }
}

i64 Fields::bytes() const {
  i64 sum = 0;
  for (const auto& [path, field] : fields_)
    sum += isize(path) + field.bytes();
  return sum;
}

std::map<std::string_view, const Field*> Fields::sorted() const {
  std::map<std::string_view, const Field*> out;
  for (const auto& [path, field] : fields_)
    out.emplace(path, &field);
  return out;
}

Cell::Cell(const Plan& plan)
    : numbers(plan.numbers.size(), Numbers(plan.exact)), fields(plan.exact) {}

void Cell::add(const Cell& other) {
  totals.add(other.totals);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i].add(other.numbers[i]);
  fields.add(other.fields);
}

i64 Cell::bytes() const {
  i64 sum = kFieldBytes + fields.bytes();
  for (const Numbers& one : numbers)
    sum += kNumbersBytes + one.bytes();
  return sum;
}

Census::Census(const Plan& the_plan)
    : plan(the_plan),
      whole(the_plan),
      tops(the_plan.tops.size(), Tally(the_plan.values)),
      top_missing(the_plan.tops.size()),
      cross(the_plan.values),
      rules(the_plan.rules.size()),
      rule_examples(the_plan.rules.size(), Examples(the_plan.examples)),
      ids(the_plan.ids),
      seen(the_plan.attributes.size()) {
  for (const EdgeLabel& label : plan.edges) {
    const std::size_t bins = label.edges.size() + 1;
    edges.push_back({std::vector<i64>(bins), std::vector<Examples>(bins, Examples(plan.examples))});
  }
}

Cell& Census::group(std::string_view key) {
  auto found = groups.find(key);
  if (found == groups.end()) {
    if (isize(groups) == kMostGroups)
      throw Error(ErrorKind::kData,
                  cat("field ", quote(plan.group), " has more than ", kMostGroups, " values"),
                  "--group needs a field that names parts of a corpus; --top counts any");
    found = groups.emplace(key, Cell(plan)).first;
  }
  return found->second;
}

void Census::add(const Census& other) {
  rejected += other.rejected;
  whole.add(other.whole);
  for (const auto& [key, cell] : other.groups)
    group(key).add(cell);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (std::size_t bin = 0; bin < edges[i].counts.size(); ++bin) {
      edges[i].counts[bin] += other.edges[i].counts[bin];
      edges[i].examples[bin].add(other.edges[i].examples[bin]);
    }
  }
  for (std::size_t i = 0; i < tops.size(); ++i) {
    tops[i].add(other.tops[i]);
    top_missing[i] += other.top_missing[i];
  }
  cross.add(other.cross);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    rules[i].add(other.rules[i]);
    rule_examples[i].add(other.rule_examples[i]);
  }
  ids.add(other.ids);
  for (std::size_t i = 0; i < seen.size(); ++i)
    seen[i] = static_cast<u8>(seen[i] | other.seen[i]);
}

i64 Census::bytes() const {
  i64 sum = whole.bytes() + cross.bytes() + ids.bytes();
  for (const auto& [key, cell] : groups)
    sum += isize(key) + cell.bytes();
  for (const Tally& top : tops)
    sum += top.bytes();
  return sum;
}

void Census::save_cell(std::string_view key, const Cell& cell, const Emit& emit) const {
  PartWriter out;
  cell.totals.save(out);
  emit("totals", key, "", out.take());
  for (std::size_t i = 0; i < cell.numbers.size(); ++i) {
    cell.numbers[i].save(out);
    emit("number", key, cat(i), out.take());
  }
  out.number(cell.fields.level());
  emit("fields", key, "", out.take());
  for (const auto& [path, field] : cell.fields.sorted()) {
    field->save(out);
    emit("field", key, path, out.take());
  }
}

void Census::save(const Emit& emit) const {
  PartWriter out;
  out.number(rejected);
  for (const u8 one : seen)
    out.number(one);
  emit("run", "", "", out.take());
  save_cell("", whole, emit);
  for (const auto& [key, cell] : groups)
    save_cell(key, cell, emit);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (std::size_t bin = 0; bin < edges[i].counts.size(); ++bin) {
      out.number(static_cast<i64>(bin));
      out.number(edges[i].counts[bin]);
      edges[i].examples[bin].save(out);
      emit("edges", "", cat(i), out.take());
    }
  }
  const auto in_parts = [&](std::string_view part, std::string_view name, const auto& counts) {
    i64 at = 0;
    for (bool more = true; more;) {
      more = counts.save(out, at);
      emit(part, "", name, out.take());
    }
  };
  for (std::size_t i = 0; i < tops.size(); ++i) {
    out.number(top_missing[i]);
    emit("missing", "", cat(i), out.take());
    in_parts("top", cat(i), tops[i]);
  }
  if (!plan.cross.empty()) in_parts("cross", "", cross);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const mix::RuleCounts& c = rules[i];
    for (const i64 count : {c.matched, c.alone, c.bytes, c.bytes_alone, c.amount, c.amount_alone})
      out.number(count);
    rule_examples[i].save(out);
    emit("rule", "", cat(i), out.take());
  }
  in_parts("ids", "", ids);
}

Cell* Census::cell(std::string_view key) {
  return key.empty() ? &whole : &group(key);
}

void Census::load(std::string_view part, std::string_view group_name, std::string_view name,
                  PartReader& in) {
  if (part == "run") {
    rejected += in.count();
    for (u8& one : seen)
      one = static_cast<u8>(one | in.number(0, 1));
  } else if (part == "totals") {
    cell(group_name)->totals.load(in);
  } else if (part == "number") {
    Cell& to = *cell(group_name);
    Numbers other(plan.exact);
    other.load(in);
    to.numbers[usize(index_of(name, isize(to.numbers), in))].add(other);
  } else if (part == "fields") {
    cell(group_name)->fields.raise(in.number(0, 64));
  } else if (part == "field") {
    Field other(plan.exact);
    other.load(in);
    if (Field* const mine = cell(group_name)->fields.at(name)) mine->add(other);
  } else if (part == "edges") {
    EdgeCounts& to = edges[usize(index_of(name, isize(edges), in))];
    const std::size_t bin = usize(in.number(0, isize(to.counts) - 1));
    to.counts[bin] += in.count();
    to.examples[bin].load(in);
  } else if (part == "missing") {
    top_missing[usize(index_of(name, isize(tops), in))] += in.count();
  } else if (part == "top") {
    tops[usize(index_of(name, isize(tops), in))].load(in);
  } else if (part == "cross") {
    cross.load(in);
  } else if (part == "rule") {
    const std::size_t rule = usize(index_of(name, isize(rules), in));
    mix::RuleCounts other;
    for (i64* const count : {&other.matched, &other.alone, &other.bytes, &other.bytes_alone,
                             &other.amount, &other.amount_alone})
      *count = in.count();
    rules[rule].add(other);
    rule_examples[rule].load(in);
  } else if (part == "ids") {
    ids.load(in);
  } else {
    in.fail(cat("belongs to an unknown part ", quote(part)));
  }
  if (!in.done()) in.fail("is one too many");
}

std::string group_key(std::string_view value, bool none, i64 longest) {
  return none ? "-" : cat("=", short_value(value, longest));
}

std::string group_name(std::string_view key) {
  return key == "-" ? "(none)" : std::string(key.substr(1));
}

std::string pair_key(std::string_view a, std::string_view b) {
  return cat(a.size(), ":", a, b);
}

std::pair<std::string_view, std::string_view> split_pair(std::string_view key) {
  const std::size_t colon = key.find(':');
  const std::optional<i64> size = parse_int(key.substr(0, colon));
  const std::string_view rest = colon == std::string_view::npos ? "" : key.substr(colon + 1);
  if (!size || *size < 1 || *size >= isize(rest)) return {"-", "-"};
  return {rest.substr(0, usize(*size)), rest.substr(usize(*size))};
}

}  // namespace lm::census
