// Lines of code and of prose, as Dolma tells them apart by a model.

#include <cmath>

#include "classify/model_file.h"
#include "tag/labels.h"
#include "text/segment.h"
#include "text/spans.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> code_composition_taggers();

namespace {

constexpr i64 kShortLine = 3;  // characters of a line that is not judged
constexpr const char* kOther = "other";
constexpr i64 kTypesPerName = 3;

/// Label without the characters of its prefix at its begin: more than the prefix, if the label goes
/// on with one of _ l a b e (D-11).
std::string_view eaten(std::string_view label) {
  const std::size_t at = label.find_first_not_of("__label__");
  return at == std::string_view::npos ? std::string_view() : label.substr(at);
}

/// What lines are counted as: names of labels, and other. The reference and we may name a label
/// differently.
struct Names {
  std::vector<std::string> all;
  std::vector<i64> own;      // by label: place in all
  std::vector<i64> eaten;    // the same in the reference
  std::vector<Needs> needs;  // by place
  i64 other = 0;
};

i64 place_of(std::vector<std::string>& all, std::string_view name) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] == name) return static_cast<i64>(i);
  all.emplace_back(name);
  return isize(all) - 1;
}

Names names_of(const classify::Classifier& model) {
  Names names;
  names.other = place_of(names.all, kOther);
  for (const std::string& label : model.labels()) {
    names.own.push_back(place_of(names.all, classify::label_name(label)));
    names.eaten.push_back(place_of(names.all, eaten(label)));
  }
  enum : u8 { kOwn = 1, kEaten = 2 };
  std::vector<u8> users(names.all.size(), 0);
  for (const i64 place : names.own)
    users[usize(place)] |= kOwn;
  for (const i64 place : names.eaten)
    users[usize(place)] |= kEaten;
  users[usize(names.other)] = kOwn | kEaten;
  for (const u8 user : users)
    names.needs.push_back(user == kOwn     ? Needs::kCorrected
                          : user == kEaten ? Needs::kDolma
                                           : Needs::kNothing);
  return names;
}

f64 entropy_bits(std::span<const classify::Guess> guesses) {
  f64 sum = 0;
  for (const classify::Guess& guess : guesses)
    if (guess.probability > 0) sum -= guess.probability * std::log2(guess.probability);
  return sum;
}

class Composition : public Tagger {
 public:
  Composition(Model model, const Names& names, bool dolma)
      : predictor_(std::move(model)),
        places_(dolma ? names.eaten : names.own),
        other_(names.other),
        lines_(names.all.size()),
        entropy_(names.all.size()) {
    for (const std::string& name : names.all)
      switches_.push_back(name == "code" || name == "prose");
  }

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    std::fill(lines_.begin(), lines_.end(), 0);
    std::fill(entropy_.begin(), entropy_.end(), 0.0);
    i64 total = 0;
    i64 boundaries = 0;
    i64 last = other_;
    for (const Range range : document.lines_py()) {
      const std::string_view line = text::strip(document.slice(range));
      if (line.empty()) continue;
      const i64 place = judge(line);
      boundaries += place != last && switches_[usize(place)] && switches_[usize(last)];
      last = place;
      ++lines_[usize(place)];
      ++total;
    }
    out.value(0, static_cast<f64>(boundaries));
    for (i64 place = 0; place < isize(lines_); ++place) {
      const f64 lines = static_cast<f64>(lines_[usize(place)]);
      if (lines == 0) continue;
      const i64 type = 1 + place * kTypesPerName;
      out.value(type, text::rounded(lines / static_cast<f64>(total), 2));
      out.value(type + 1, lines);
      out.value(type + 2, entropy_[usize(place)] / lines);
    }
    return std::nullopt;
  }

 private:
  /// What a line counts as; adds the entropy of the model's answer.
  i64 judge(std::string_view line) {
    if (text::count_code_points(line) <= kShortLine) return other_;
    const std::span<const classify::Guess> guesses = predictor_.predict(line);
    if (guesses.empty()) return other_;
    const i64 place = places_[usize(guesses[0].label)];
    entropy_[usize(place)] += entropy_bits(guesses);
    return place;
  }

  classify::Predictor predictor_;
  std::vector<i64> places_;  // by label
  i64 other_;
  std::vector<bool> switches_;  // by place: code or prose
  std::vector<i64> lines_;
  std::vector<f64> entropy_;  // sums, in bits
};

void bind(TaggerDef& def, const std::string& path, TagFiles& files) {
  const Model model = read_model(path, files);
  const Names names = names_of(*model);
  def.types = {{"boundaries", "changes between code and prose from line to line"}};
  for (std::size_t i = 0; i < names.all.size(); ++i) {
    const std::string& name = names.all[i];
    const std::string what = name == kOther ? "lines of 3 characters or fewer" : "lines of " + name;
    def.types.push_back({name + "_pct", "share of " + what, names.needs[i]});
    def.types.push_back({name, what, names.needs[i]});
    def.types.push_back(
        {name + "_entropy", "mean entropy of the answers, in bits", names.needs[i]});
  }
  check_types(def.types, path);
  def.make = [model, names](const TagSettings& settings) {
    return std::make_unique<Composition>(model, names, settings.dolma);
  };
}

}  // namespace

std::vector<TaggerDef> code_composition_taggers() {
  TaggerDef def;
  def.name = "code_composition";
  def.unit = "line";
  def.summary = "shares of code and prose, line by line";
  def.source = "fastText; Dolma";
  def.file = "code-composition";
  def.types_of_file = true;
  def.bind = bind;
  return {def};
}

}  // namespace lm::tag
