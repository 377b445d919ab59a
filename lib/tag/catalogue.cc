#include "tag/catalogue.h"

#include <algorithm>

#include "core/str.h"

namespace lm::tag {

// A family is one of these functions, in a file of its own.
std::vector<TaggerDef> c4_taggers();
std::vector<TaggerDef> cld2_taggers();
std::vector<TaggerDef> code_composition_taggers();
std::vector<TaggerDef> code_taggers();
std::vector<TaggerDef> content_taggers();
std::vector<TaggerDef> dclm_taggers();
std::vector<TaggerDef> fasttext_taggers();
std::vector<TaggerDef> fineweb_taggers();
std::vector<TaggerDef> gopher_taggers();
std::vector<TaggerDef> gopher_paper_taggers();
std::vector<TaggerDef> length_taggers();
std::vector<TaggerDef> licence_taggers();
std::vector<TaggerDef> madlad_taggers();
std::vector<TaggerDef> pii_taggers();
std::vector<TaggerDef> pii_v3_taggers();
std::vector<TaggerDef> punctuation_taggers();
std::vector<TaggerDef> refinedweb_taggers();
std::vector<TaggerDef> repetition_taggers();
std::vector<TaggerDef> sampling_taggers();
std::vector<TaggerDef> secret_taggers();
std::vector<TaggerDef> segment_taggers();
std::vector<TaggerDef> token_repetition_taggers();
std::vector<TaggerDef> token_taggers();
std::vector<TaggerDef> unigram_taggers();
std::vector<TaggerDef> url_taggers();

namespace {

constexpr std::vector<TaggerDef> (*kFamilies[])() = {
    c4_taggers,         cld2_taggers,
    code_taggers,       code_composition_taggers,
    content_taggers,    dclm_taggers,
    fasttext_taggers,   fineweb_taggers,
    gopher_taggers,     gopher_paper_taggers,
    length_taggers,     licence_taggers,
    madlad_taggers,     pii_taggers,
    pii_v3_taggers,     punctuation_taggers,
    refinedweb_taggers, repetition_taggers,
    sampling_taggers,   secret_taggers,
    segment_taggers,    token_repetition_taggers,
    token_taggers,      unigram_taggers,
    url_taggers,
};

constexpr std::size_t kManyTypes = 50;  // from here on --list names them without their meaning
constexpr i64 kNear = 3;                // edits between a name and what may have been meant

/// "nearest are a, b" or "" for names within kNear edits, nearest first, three at most.
std::string nearest(std::string_view name, const std::vector<std::string>& names) {
  std::vector<std::pair<i64, std::string>> near;
  for (const std::string& other : names) {
    const i64 distance = edit_distance(name, other);
    if (distance <= kNear) near.emplace_back(distance, other);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  if (near.size() > 3) near.resize(3);
  std::string out;
  for (const auto& [distance, other] : near)
    append(out, out.empty() ? "did you mean " : ", ", other);
  return out.empty() ? "" : out + "?";
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const TaggerDef& def : catalogue())
    names.push_back(def.name);
  return names;
}

}  // namespace

const std::vector<TaggerDef>& catalogue() {
  static const std::vector<TaggerDef> all = [] {
    std::vector<TaggerDef> defs;
    for (const auto family : kFamilies) {
      std::vector<TaggerDef> part = family();
      defs.insert(defs.end(), part.begin(), part.end());
    }
    return defs;
  }();
  return all;
}

const TaggerDef* find_tagger(std::string_view name) {
  const std::vector<TaggerDef>& all = catalogue();
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const TaggerDef& def) { return def.name == name; });
  return at == all.end() ? nullptr : &*at;
}

const TaggerDef& tagger_named(std::string_view name) {
  if (const TaggerDef* def = find_tagger(name)) return *def;
  const std::string hint = nearest(name, all_names());
  throw Error(ErrorKind::kUsage, cat("there is no tagger ", quote(name)),
              hint.empty() ? "--list names them all" : hint);
}

std::vector<TaggerDef> complete_taggers(const std::vector<std::string>& names, TagFiles& files) {
  std::vector<TaggerDef> taggers;
  for (const std::string& name : names) {
    TaggerDef& def = taggers.emplace_back(tagger_named(name));
    if (def.file.empty()) continue;
    const std::string path = files.path_of(def.file);
    if (path.empty())
      throw Error(ErrorKind::kUsage, cat("tagger ", name, " needs a file"),
                  cat("--model ", def.file, "=FILE gives it"));
    def.bind(def, path, files);
  }
  return taggers;
}

std::string key_part(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!kept) c = '_';
  }
  return out;
}

void check_key(std::string_view key) {
  const std::size_t first = key.find("__");
  if (first == std::string_view::npos) return;
  const std::string_view rest = key.substr(first + 2);
  const std::size_t second = rest.find("__");
  if (second == std::string_view::npos) return;
  const std::string_view tagger = rest.substr(0, second);
  const std::string_view type = rest.substr(second + 2);
  for (const TaggerDef& def : catalogue()) {
    if (key_part(def.name) != tagger || def.types_of_file || def.open_types) continue;
    std::vector<std::string> types;
    for (const TagType& own : def.types)
      types.push_back(key_part(own.name));
    if (std::find(types.begin(), types.end(), type) != types.end()) return;
    throw Error(ErrorKind::kUsage,
                cat("attribute ", quote(key), ": ", def.name, " has no type ", quote(type)),
                nearest(type, types));
  }
}

std::string catalogue_table() {
  std::string out;
  for (const TaggerDef& def : catalogue()) {
    append(out, def.name, "\n  ", def.summary, "\n  unit: ", def.unit, "\n  source: ", def.source,
           "\n");
    if (!def.fields.empty()) append(out, "  reads: ", join(def.fields, ", "), "\n");
    if (!def.file.empty()) append(out, "  needs: --model ", def.file, "=FILE\n");
    if (def.types_of_file) append(out, "  types: the labels of the model\n");
    if (def.open_types) append(out, "  types: of names that documents make, and\n");
    if (def.types.size() >= kManyTypes) {
      append(out, "  types:");
      for (const TagType& type : def.types)
        if (type.needs != Needs::kDolma) append(out, " ", type.name);
      append(out, "\n");
      continue;
    }
    for (const TagType& type : def.types) {
      append(out, "  ", type.name, ": ", type.meaning,
             type.needs == Needs::kNaughtyWords ? " (needs --naughty-words)" : "", "\n");
    }
  }
  return out;
}

}  // namespace lm::tag
