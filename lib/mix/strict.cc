#include "mix/strict.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "io/json_node.h"
#include "io/object_fields.h"

namespace lm::mix {

namespace {

constexpr i64 kLines = 100;  // of an input
constexpr i64 kInputs = 64;
constexpr i64 kDistance = 3;  // of names that are suggested
constexpr std::size_t kShown = 3;
constexpr const char* kHint =
    "--allow-missing KEY accepts one that may be absent, --lax-attributes all";

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "; near it: ..." or nothing.
template <typename Known>
std::string near_names(const std::string& name, const Known& all) {
  std::vector<std::pair<i64, std::string>> near;
  for (const std::string& known : all) {
    const i64 distance = edit_distance(name, known);
    if (distance <= kDistance) near.emplace_back(distance, quote(known));
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), kShown));
  std::vector<std::string> shown;
  for (std::pair<i64, std::string>& one : near)
    shown.push_back(std::move(one.second));
  return shown.empty() ? std::string() : cat("; near it: ", join(shown, ", "));
}

/// "E__T__" of "E__T__TYPE"; empty for other names.
std::string_view tagger_of(std::string_view name) {
  const std::size_t first = name.find("__");
  if (first == std::string_view::npos) return {};
  const std::size_t second = name.find("__", first + 2);
  return second == std::string_view::npos ? std::string_view() : name.substr(0, second + 2);
}

}  // namespace

void Declared::add(const io::StreamHeader& header) {
  const auto take = [this](const io::Json& params) {
    const auto list = params.find("attributes");
    if (list == params.end() || !list->is_array()) return;
    for (const io::Json& name : *list) {
      if (!name.is_string()) continue;
      names_.insert(name.get<std::string>());
      const std::string_view tagger = tagger_of(name.get_ref<const std::string&>());
      if (!tagger.empty()) taggers_.emplace(tagger);
    }
  };
  take(io::parse_object(header.params_json, "header"));
  for (const std::string& above : header.chain) {
    const io::Json one = io::parse_object(above, "header");
    if (one.contains("params") && one["params"].is_object()) take(one["params"]);
  }
}

void Declared::check(const Names& names, const std::vector<std::string>& allowed) const {
  for (const std::string& name : names.attributes()) {
    const std::string_view tagger = tagger_of(name);
    if (tagger.empty() || has(name) || is_among(allowed, name)) continue;
    if (taggers_.find(tagger) == taggers_.end()) continue;
    throw Error(
        ErrorKind::kData,
        cat("attribute ", quote(name), " is none of those that ",
            quote(tagger.substr(0, tagger.size() - 2)), " looked for", near_names(name, names_)),
        kHint);
  }
}

SeenAttributes::SeenAttributes(const Names& names, i64 attributes_field, i64 asked, i64 named)
    : names_(&names),
      field_(attributes_field),
      seen_(names.attributes().size()),
      fields_(usize(named)),
      asked_(asked) {}

void SeenAttributes::look(const io::JsonReader& json, i64 input, i64 line) {
  ++records_;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (json.field(names_->field_of(static_cast<i64>(i))).type != io::JsonType::kMissing)
      seen_[i] = 1;
  }
  for (i64 i = 0; i < isize(fields_); ++i) {
    if (i < asked_ ? json.has(i) : json.field(i).type != io::JsonType::kMissing)
      fields_[usize(i)] = 1;
  }
  if (line > kLines || input >= kInputs || json.field(field_).type != io::JsonType::kObject) return;
  io::each_object_field(json.raw(field_),
                        [this](std::string_view key, std::string_view) { known_.emplace(key); });
}

void SeenAttributes::add(const SeenAttributes& other) {
  records_ += other.records_;
  for (std::size_t i = 0; i < seen_.size(); ++i)
    seen_[i] = static_cast<u8>(seen_[i] | other.seen_[i]);
  for (std::size_t i = 0; i < fields_.size(); ++i)
    fields_[i] = static_cast<u8>(fields_[i] | other.fields_[i]);
  known_.insert(other.known_.begin(), other.known_.end());
}

std::vector<std::string> SeenAttributes::unseen_fields() const {
  std::vector<std::string> out;
  if (records_ == 0) return out;
  for (std::size_t i = Names::kText + 1; i < fields_.size();
       ++i) {  // the text is always among them
    const std::string& path = names_->paths()[i];
    if (fields_[i] != 0 || path == "attributes" || path.starts_with("attributes.")) continue;
    out.push_back(path);
  }
  return out;
}

Error unseen_attribute(const std::string& name, i64 records, const std::set<std::string>& known) {
  return Error(ErrorKind::kData,
               cat("attribute ", quote(name), " is in none of ", records,
                   " records: what names it never fires", near_names(name, known)),
               kHint);
}

void SeenAttributes::check(const std::vector<std::string>& allowed,
                           const Declared& declared) const {
  if (records_ == 0) return;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const std::string& name = names_->attributes()[i];
    if (seen_[i] != 0 || declared.has(name) || is_among(allowed, name)) continue;
    throw unseen_attribute(name, records_, known_);
  }
}

}  // namespace lm::mix
