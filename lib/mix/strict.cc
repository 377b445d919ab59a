#include "mix/strict.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "io/object_fields.h"

namespace lm::mix {

namespace {

constexpr i64 kLines = 100;  // of an input
constexpr i64 kInputs = 64;
constexpr i64 kDistance = 3;  // of names that are suggested
constexpr std::size_t kShown = 3;

}  // namespace

SeenAttributes::SeenAttributes(const Names& names, i64 attributes_field, i64 asked)
    : names_(&names),
      field_(attributes_field),
      seen_(names.attributes().size()),
      fields_(usize(asked)) {}

void SeenAttributes::look(const io::JsonReader& json, i64 input, i64 line) {
  ++records_;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (json.field(names_->field_of(static_cast<i64>(i))).type != io::JsonType::kMissing)
      seen_[i] = 1;
  }
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (json.has(static_cast<i64>(i))) fields_[i] = 1;
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
    if (fields_[i] == 0 && !path.starts_with("attributes.")) out.push_back(path);
  }
  return out;
}

Error unseen_attribute(const std::string& name, i64 records, const std::set<std::string>& known) {
  std::vector<std::pair<i64, std::string>> near;
  for (const std::string& one : known) {
    const i64 distance = edit_distance(name, one);
    if (distance <= kDistance) near.emplace_back(distance, quote(one));
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), kShown));
  std::vector<std::string> shown;
  for (std::pair<i64, std::string>& one : near)
    shown.push_back(std::move(one.second));
  return Error(ErrorKind::kData,
               cat("attribute ", quote(name), " is in none of ", records,
                   " records: what names it never fires",
                   shown.empty() ? std::string() : cat("; near it: ", join(shown, ", "))),
               "--allow-missing KEY accepts one that may be absent, --lax-attributes all");
}

void SeenAttributes::check(const std::vector<std::string>& allowed) const {
  if (records_ == 0) return;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const std::string& name = names_->attributes()[i];
    if (seen_[i] != 0 || std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
    throw unseen_attribute(name, records_, known_);
  }
}

}  // namespace lm::mix
