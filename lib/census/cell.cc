#include "census/cell.h"

#include <bit>

#include "core/str.h"

namespace lm::census {

namespace {

constexpr i64 kNumbersBytes = 1400;  // of a Numbers beside its table
constexpr i64 kFieldBytes = 200;
constexpr i64 kMostCount = i64{1} << 62;

}  // namespace

i64 part_index(std::string_view name, i64 size, const PartReader& in) {
  const std::optional<i64> index = parse_int(name);
  if (!index || *index < 0 || *index >= size) in.fail("belongs to nothing that is counted");
  return *index;
}

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

void Field::add(Field&& other) {
  nulls += other.nulls;
  empty += other.empty;
  unfit += other.unfit;
  value.add(std::move(other.value));
  plain += other.plain;
  whole += other.whole;
  for (const auto& [mine, theirs] : {std::pair(&spans, &other.spans), {&covered, &other.covered}}) {
    if (!*mine) {
      mine->swap(*theirs);
    } else if (*theirs) {
      (*mine)->add(std::move(**theirs));
    }
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

void Fields::add(Fields&& other) {
  raise(other.level_);
  other.raise(level_);
  for (auto& [path, field] : other.fields_) {
    const auto found = fields_.find(path);
    if (found != fields_.end()) found->second.add(std::move(field));
  }
  fields_.merge(other.fields_);
  other.fields_.clear();
  while (isize(fields_) > kMost)
    raise(level_ + 1);
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
    : exact(plan.exact), numbers(plan.numbers.size(), Numbers(plan.exact)), fields(plan.exact) {}

void Cell::add(Cell&& other) {
  totals.add(other.totals);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i].add(std::move(other.numbers[i]));
  fields.add(std::move(other.fields));
}

i64 Cell::bytes() const {
  i64 sum = kFieldBytes + fields.bytes();
  for (const Numbers& one : numbers)
    sum += kNumbersBytes + one.bytes();
  return sum;
}

void Cell::save(const Emit& emit) const {
  PartWriter out;
  totals.save(out);
  emit("totals", "", out.take());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i].save(out);
    emit("number", cat(i), out.take());
  }
  out.number(fields.level());
  emit("fields", "", out.take());
  for (const auto& [path, field] : fields.sorted()) {
    field->save(out);
    emit("field", path, out.take());
  }
}

bool Cell::load(std::string_view part, std::string_view name, PartReader& in) {
  if (part == "totals") {
    totals.load(in);
  } else if (part == "number") {
    Numbers other(exact);
    other.load(in);
    numbers[usize(part_index(name, isize(numbers), in))].add(std::move(other));
  } else if (part == "fields") {
    fields.raise(in.number(0, 64));
  } else if (part == "field") {
    Field other(exact);
    other.load(in);
    if (Field* const mine = fields.at(name)) mine->add(std::move(other));
  } else {
    return false;
  }
  return true;
}

}  // namespace lm::census
