#include "eval/languages.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/str.h"
#include "stat/bootstrap.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::eval {

using text::Value;
using text::ValueList;
using text::ValueMap;

namespace {

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();

f64 mean_of(std::span<const f64> values) {
  f64 sum = 0;
  for (const f64 value : values)
    sum += value;
  return values.empty() ? kNan : sum / static_cast<f64>(values.size());
}

}  // namespace

void RatioTable::add(const std::string& language, const std::string& id, const RatioPart& part) {
  const auto [place, fresh] = ids_.try_emplace(id, isize(names_));
  if (fresh) names_.push_back(id);
  std::vector<Item>& items = languages_[language];
  // Translations mostly come in one order, so a repeated id is the last one.
  if (!items.empty() && items.back().id == place->second) {
    items.back().part.above += part.above;
    items.back().part.below += part.below;
  } else {
    items.push_back({place->second, part});
  }
}

std::vector<std::string> RatioTable::languages() const {
  std::vector<std::string> out;
  for (const auto& [language, items] : languages_)
    out.push_back(language);
  return out;
}

std::map<std::string, RatioPart> RatioTable::items(const std::string& language) const {
  std::map<std::string, RatioPart> out;
  const auto found = languages_.find(language);
  if (found == languages_.end()) return out;
  for (const Item& item : found->second) {
    RatioPart& sum = out[names_[usize(item.id)]];
    sum.above += item.part.above;
    sum.below += item.part.below;
  }
  return out;
}

RatioSummary RatioTable::summary(const RatioOptions& options) const {
  const i64 n = isize(languages_);
  const std::vector<std::string> names = languages();
  if (!options.pivot.empty() && !languages_.contains(options.pivot))
    throw Error(ErrorKind::kData, cat("no record has the pivot's language ", quote(options.pivot)),
                names.empty() ? "" : cat("languages: ", join(names, ", ")));
  // Statistics of a draw: values, gaps, mean, weighted mean, gini, worst.
  const i64 statistics = 2 * n + 4;
  const auto compute = [&](stat::Counts counts, std::span<f64> out) {
    f64 weighted = 0;
    f64 weights = 0;
    i64 l = 0;
    i64 pivot = -1;
    for (const auto& [language, items] : languages_) {
      f64 above = 0;
      f64 below = 0;
      for (const Item& item : items) {
        const f64 times = static_cast<f64>(counts[item.id]);
        above += times * item.part.above;
        below += times * item.part.below;
      }
      out[usize(l)] = below == 0 ? kNan : options.scale * above / below;
      if (language == options.pivot) pivot = l;
      if (const auto weight = options.weights.find(language); weight != options.weights.end()) {
        weighted += weight->second * out[usize(l)];
        weights += weight->second;
      }
      ++l;
    }
    const std::span<const f64> values = out.first(usize(n));
    for (i64 i = 0; i < n; ++i)
      out[usize(n + i)] = pivot < 0 ? kNan : out[usize(pivot)] - out[usize(i)];
    out[usize(2 * n)] = mean_of(values);
    out[usize(2 * n + 1)] = weights == 0 ? kNan : weighted / weights;
    out[usize(2 * n + 2)] = gini(values);
    out[usize(2 * n + 3)] = options.higher_is_better
                                ? *std::min_element(values.begin(), values.end())
                                : *std::max_element(values.begin(), values.end());
  };
  RatioSummary out;
  if (n == 0) return out;
  std::vector<f64> all(usize(statistics));
  compute({}, all);
  const stat::BootstrapDraws draws(isize(names_), statistics, {options.draws, options.seed},
                                   compute);
  const auto figure = [&](i64 s) {
    const stat::Interval interval = stat::percentile_interval(draws.of(s));
    return Figure{all[usize(s)], interval.low, interval.high};
  };
  i64 l = 0;
  for (const auto& [language, items] : languages_) {
    out.rows.push_back(
        {language, isize(items), figure(l), options.pivot.empty() ? Figure{} : figure(n + l)});
    if (all[usize(l)] == all[usize(2 * n + 3)] && out.worst_language.empty())
      out.worst_language = language;
    ++l;
  }
  out.mean = figure(2 * n);
  out.weighted = figure(2 * n + 1);
  out.gini = figure(2 * n + 2);
  out.worst = figure(2 * n + 3);
  return out;
}

f64 gini(std::span<const f64> values) {
  std::vector<f64> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const f64 n = static_cast<f64>(sorted.size());
  const f64 sum = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  if (sorted.empty() || sum == 0) return kNan;
  f64 ranked = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i)
    ranked += (2 * static_cast<f64>(i + 1) - n - 1) * sorted[i];
  return ranked / (n * sum);
}

text::Value summary_value(const RatioSummary& summary) {
  const auto number = [](f64 value) { return std::isfinite(value) ? Value(value) : Value(); };
  const auto set = [&](Value& out, const std::string& name, const Figure& figure) {
    if (std::isnan(figure.value)) return;
    out.set(name, number(figure.value));
    out.set(name + "_interval", ValueList{number(figure.low), number(figure.high)});
  };
  ValueList rows;
  for (const LanguageRow& row : summary.rows) {
    Value one(ValueMap{{"language", row.language}, {"n", row.n}});
    set(one, "value", row.value);
    set(one, "gap", row.gap);
    rows.push_back(std::move(one));
  }
  Value out(ValueMap{{"languages", std::move(rows)}});
  set(out, "mean", summary.mean);
  set(out, "weighted_mean", summary.weighted);
  set(out, "gini", summary.gini);
  set(out, "worst", summary.worst);
  if (!summary.worst_language.empty()) out.set("worst_language", summary.worst_language);
  return out;
}

TextUnits count_units(std::string_view text) {
  TextUnits out;
  out.words = text::count_words_ws(text);
  for (const char32_t cp : text::to_utf32(text)) {
    if (text::is_py_space(cp)) continue;
    ++out.characters;
    if (!text::is_letter(cp)) continue;
    ++out.letters;
    const bool unspaced = (cp >= 0x0E00 && cp < 0x1000) || (cp >= 0x1000 && cp < 0x10A0) ||
                          (cp >= 0x1780 && cp < 0x1800) || (cp >= 0x1950 && cp < 0x1AB0) ||
                          (cp >= 0x3040 && cp < 0x3100) || (cp >= 0x31F0 && cp < 0x3200) ||
                          (cp >= 0x3400 && cp < 0xA000) || (cp >= 0xA9E0 && cp < 0xAA00) ||
                          (cp >= 0xAA60 && cp < 0xAA80) || (cp >= 0xF900 && cp < 0xFB00) ||
                          (cp >= 0x20000 && cp < 0x40000);
    out.unspaced += unspaced ? 1 : 0;
  }
  return out;
}

void AnswerTable::add(const std::string& language, const std::string& id, std::string answer) {
  answers_[language][id] = std::move(answer);
}

void AnswerTable::add_ranking(const std::string& language, const std::string& id,
                              std::vector<f64> scores) {
  rankings_[language][id] = std::move(scores);
}

namespace {

template <typename Item, typename Agree>
std::vector<AnswerTable::Pair> all_pairs(
    const std::map<std::string, std::map<std::string, Item>>& table, Agree agree) {
  std::vector<AnswerTable::Pair> out;
  for (auto a = table.begin(); a != table.end(); ++a) {
    for (auto b = std::next(a); b != table.end(); ++b) {
      AnswerTable::Pair pair{a->first, b->first};
      f64 sum = 0;
      for (const auto& [id, item] : a->second) {
        const auto other = b->second.find(id);
        if (other == b->second.end()) continue;
        sum += agree(item, other->second);
        ++pair.n;
      }
      if (pair.n == 0) continue;
      pair.agreement = sum / static_cast<f64>(pair.n);
      out.push_back(std::move(pair));
    }
  }
  return out;
}

}  // namespace

std::vector<AnswerTable::Pair> AnswerTable::pairs() const {
  return all_pairs(answers_,
                   [](const std::string& a, const std::string& b) { return a == b ? 1.0 : 0.0; });
}

std::vector<AnswerTable::Pair> AnswerTable::ranking_pairs() const {
  return all_pairs(rankings_, [](const std::vector<f64>& a, const std::vector<f64>& b) {
    if (a.size() != b.size() || a.empty())
      throw Error(ErrorKind::kData,
                  "a question has different numbers of candidates in two languages");
    return rank_consistency(a, b);
  });
}

f64 rank_consistency(std::span<const f64> a, std::span<const f64> b) {
  LM_CHECK(a.size() == b.size() && !a.empty(), "rankings of the same candidates");
  const auto ranking = [](std::span<const f64> scores) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t x, std::size_t y) { return scores[x] > scores[y]; });
    return order;
  };
  const std::vector<std::size_t> x = ranking(a);
  const std::vector<std::size_t> y = ranking(b);
  std::vector<u8> seen(a.size());  // 1: in one top, 2: in both
  f64 sum = 0;
  f64 weights = 0;
  i64 both = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    both += ++seen[x[j]] == 2 ? 1 : 0;
    both += ++seen[y[j]] == 2 ? 1 : 0;
    const f64 weight = std::exp(-static_cast<f64>(j));
    sum += weight * static_cast<f64>(both) / static_cast<f64>(j + 1);
    weights += weight;
  }
  return sum / weights;
}

}  // namespace lm::eval
