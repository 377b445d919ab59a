#include "ingest/columns.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::ingest {

namespace {

constexpr i64 kNamesShown = 12;

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (i64 i = 0; i < std::min(kNamesShown, isize(names)); ++i)
    append(out, i > 0 ? ", " : "", quote(names[usize(i)], 30));
  return isize(names) > kNamesShown ? cat(out, ", ...") : out;
}

}  // namespace

ColumnMap::ColumnMap(const std::vector<std::string>& names, const ColumnOptions& options,
                     const std::string& source, const std::string& place)
    : columns_(isize(names)) {
  std::vector<u8> used(names.size());
  const auto find = [&](const std::string& name) -> i64 {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) return -1;
    if (std::find(at + 1, names.end(), name) != names.end()) {
      throw Error(ErrorKind::kData, cat(place, ": two columns are named ", quote(name)),
                  "--columns a,b,... gives other names where the header line is cut off");
    }
    used[usize(at - names.begin())] = 1;
    return at - names.begin();
  };
  const auto need = [&](const std::string& name, std::string_view option) {
    const i64 column = find(name);
    if (column < 0) {
      throw Error(ErrorKind::kData,
                  cat(place, ": no column ", quote(name), " among ", listed(names)),
                  cat(option, " chooses another"));
    }
    return column;
  };
  text_ = need(options.text, "--text-column NAME");
  id_ = options.id ? need(*options.id, "--id-column NAME") : options.text == "id" ? -1 : find("id");
  if (!source.empty()) source_json_ = cat(",\"source\":", io::json_string(source));
  for (const char* const name : {"source", "added", "created"}) {
    if (source_json_.empty() || std::string_view(name) != "source") {
      const bool taken = name == options.text || name == options.id;
      const i64 column = taken ? -1 : find(name);
      if (column >= 0) strings_.push_back({cat(",\"", name, "\":"), column});
    }
  }
  const auto add = [&](i64 column) {
    metadata_.push_back({cat(io::json_string(names[usize(column)]), ":"), column});
  };
  if (!options.all_metadata) {
    for (const std::string& name : options.metadata)
      add(need(name, "--metadata-columns a,b"));
    return;
  }
  const std::vector<u8> others = used;
  for (i64 i = 0; i < columns_; ++i)
    if (!others[usize(i)]) add(find(names[usize(i)]));
}

std::vector<i64> ColumnMap::strings() const {
  std::vector<i64> out = {text_};
  for (const Field& field : strings_)
    out.push_back(field.column);
  return out;
}

std::vector<i64> ColumnMap::used() const {
  std::vector<i64> out = strings();
  if (id_ >= 0) out.push_back(id_);
  for (const Field& field : metadata_)
    out.push_back(field.column);
  // A column may be named for two uses.
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void ColumnMap::write(std::string& out, std::string_view made_id,
                      const std::function<bool(i64 column, As as, std::string& out)>& value) const {
  out += "{\"id\":";
  const std::size_t before_id = out.size();
  if (id_ < 0 || !value(id_, As::kString, out) ||
      std::string_view(out).substr(before_id) == "\"\"") {
    out.resize(before_id);
    io::append_json_string(out, made_id);
  }
  out += ",\"text\":";
  if (!value(text_, As::kString, out)) out += "null";
  out += source_json_;
  for (const Field& field : strings_) {
    const std::size_t before = out.size();
    out += field.key;
    if (!value(field.column, As::kString, out)) out.resize(before);
  }
  for (std::size_t i = 0; i < metadata_.size(); ++i) {
    out += i == 0 ? ",\"metadata\":{" : ",";
    out += metadata_[i].key;
    if (!value(metadata_[i].column, As::kValue, out)) out += "null";
  }
  out += metadata_.empty() ? "}\n" : "}}\n";
}

}  // namespace lm::ingest
