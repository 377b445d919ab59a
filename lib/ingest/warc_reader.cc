#include "ingest/warc_reader.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/str.h"

namespace lm::ingest {

namespace {

constexpr i64 kMaxHeadBytes = i64{1} << 20;
constexpr std::string_view kBlanks = " \t\r";

std::string_view strip(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// Behind the empty line that ends a head, or npos.
std::size_t head_end(std::string_view text, std::size_t from) {
  for (std::size_t lf = text.find('\n', from); lf != std::string_view::npos;
       lf = text.find('\n', lf + 1)) {
    const std::string_view rest = text.substr(lf + 1);
    if (rest.starts_with('\n')) return lf + 2;
    if (rest.starts_with("\r\n")) return lf + 3;
  }
  return std::string_view::npos;
}

}  // namespace

bool HeadFields::parse(std::string_view lines) {
  fields_.clear();
  for (const std::string_view line : split(lines, '\n')) {
    if (strip(line).empty()) continue;
    if (line[0] == ' ' || line[0] == '\t') {
      if (fields_.empty()) return false;
      append(fields_.back().second, " ", strip(line));
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    fields_.emplace_back(ascii_lower(strip(line.substr(0, colon))), strip(line.substr(colon + 1)));
  }
  return true;
}

std::string_view HeadFields::get(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (key == name) return value;
  return {};
}

i64 HeadFields::count(std::string_view name) const {
  return std::count_if(fields_.begin(), fields_.end(),
                       [name](const auto& field) { return field.first == name; });
}

std::pair<std::string, std::string> parse_content_type(std::string_view value) {
  std::pair<std::string, std::string> out;
  const std::vector<std::string_view> parts = split(value, ';');
  out.first = ascii_lower(strip(parts[0]));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    if (equals == std::string_view::npos || !out.second.empty()) continue;
    if (ascii_lower(strip(parts[i].substr(0, equals))) != "charset") continue;
    std::string_view name = strip(parts[i].substr(equals + 1));
    while (!name.empty() && (name.front() == '"' || name.front() == '\''))
      name.remove_prefix(1);
    while (!name.empty() && (name.back() == '"' || name.back() == '\''))
      name.remove_suffix(1);
    out.second = ascii_lower(name);
  }
  return out;
}

void WarcReader::fail(i64 offset, std::string_view what, std::string hint) const {
  throw Error(ErrorKind::kData, cat(bytes_.name(), ": byte ", offset, ": ", what), std::move(hint));
}

void WarcReader::cut(i64 offset) const {
  fail(offset,
       cat("the record that begins here is cut at byte ", bytes_.offset() + bytes_.available()));
}

bool WarcReader::next(Record& record) {
  if (!bytes_.fill(1)) return false;
  record.offset = bytes_.offset();
  // "WARC/1.0" and a line end; what is shorter is judged by what is there.
  bytes_.fill(9);
  const std::string_view start = bytes_.view().substr(0, 9);
  constexpr std::string_view kStart = "WARC/1.";
  if (!start.starts_with(kStart.substr(0, std::min(start.size(), kStart.size())))) {
    fail(record.offset,
         cat("starts with ", quote(start.substr(0, 8)), ", expected WARC/1.0 or WARC/1.1"));
  }
  if (start.size() < 9) cut(record.offset);
  if ((start[7] != '0' && start[7] != '1') || (start[8] != '\r' && start[8] != '\n'))
    fail(record.offset, "a version of WARC that is not known, expected 1.0 or 1.1");
  std::size_t end = head_end(bytes_.view(), 0);
  while (end == std::string_view::npos) {
    const i64 seen = bytes_.available();
    if (seen > kMaxHeadBytes)
      fail(record.offset, cat("a head without end within ", format_bytes(kMaxHeadBytes)));
    if (!bytes_.fill(seen + 1)) cut(record.offset);
    end = head_end(bytes_.view(), usize(std::max<i64>(seen - 2, 0)));
  }
  const std::string_view head = bytes_.view().substr(0, end);
  if (!record.fields.parse(head.substr(head.find('\n') + 1)))
    fail(record.offset, "a line in the record's head is no NAME: VALUE");
  const std::optional<i64> length = parse_int(record.fields.get("content-length"));
  if (record.fields.count("content-length") != 1 || !length || *length < 0) {
    fail(record.offset, cat("Content-Length is ", quote(record.fields.get("content-length")),
                            ", expected one whole number"));
  }
  record.length = *length;
  bytes_.consume(static_cast<i64>(end));
  return true;
}

void WarcReader::block(const Record& record, std::string& out) {
  for (i64 left = record.length; left > 0;) {
    if (!bytes_.fill(1)) cut(record.offset);
    const i64 now = std::min(left, bytes_.available());
    out += bytes_.view().substr(0, usize(now));
    bytes_.consume(now);
    left -= now;
  }
  end_record(record);
}

void WarcReader::skip(const Record& record) {
  if (!bytes_.skip(record.length)) cut(record.offset);
  end_record(record);
}

void WarcReader::end_record(const Record& record) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  bytes_.fill(4);
  const std::string_view end = bytes_.view().substr(0, 4);
  if (end == kEnd) return bytes_.consume(4);
  if (end.size() < 4 && kEnd.starts_with(end)) cut(record.offset);
  fail(record.offset, cat("Content-Length ", record.length, " of this record ends at byte ",
                          bytes_.offset(), " before ", quote(end), ", expected two line ends"));
}

}  // namespace lm::ingest
