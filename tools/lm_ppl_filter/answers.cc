#include "answers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "common/text_output.h"
#include "core/str.h"
#include "io/json.h"
#include "stat/choice.h"

namespace lm::filter_tool {

namespace {

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();
constexpr f64 kInf = std::numeric_limits<f64>::infinity();

f64 mean_nll(const text::Score& score) {
  // An answer of no token, or one that the model cannot hold, is never likely.
  const f64 mean = score.nll_nats / static_cast<f64>(score.tokens);
  return score.tokens == 0 || std::isnan(mean) ? kInf : mean;
}

constexpr Metric kMetrics[] = {
    {"sppl", false, true, false, false, false,
     [](const Candidate& c) { return std::exp(mean_nll(c.shown)); }},
    {"ppl", true, false, false, false, false,
     [](const Candidate& c) { return std::exp(mean_nll(c.given)); }},
    {"ifd", true, false, true, false, false,
     [](const Candidate& c) {
       if (c.given.tokens == 0) return kInf;
       // A single token is not scored where nothing begins a text: nothing to divide by.
       return c.alone.tokens == 0 ? kNan : mean_nll(c.given) / mean_nll(c.alone);
     }},
    {"nll", true, false, false, false, false,
     [](const Candidate& c) {
       return mean_nll(c.given) * static_cast<f64>(std::max<i64>(1, c.given.tokens));
     }},
    {"length", true, false, false, false, false,
     [](const Candidate& c) { return static_cast<f64>(c.given.tokens); }},
    {"reward", false, false, false, true, true, [](const Candidate& c) { return *c.reward; }},
    {"car", true, false, false, true, true,
     [](const Candidate& c) { return *c.reward / (1 + 3 * mean_nll(c.given)); }},
};

i64 tokens_of(const Candidate& c) {
  return std::max(c.given.tokens, c.shown.tokens);
}

/// The strategies with the metric of every question's answer.
std::vector<stat::Way> ways_of(const AnswerSet& set, const Metric& metric) {
  std::vector<stat::Way> out;
  // In the order of the ids, so that sums and resamples do not depend on that of the lines.
  std::map<std::string_view, i64> items;
  for (const Candidate& c : set.all)
    items.emplace(set.questions.all()[usize(c.question)], 0);
  i64 number = 0;
  for (auto& [id, item] : items)
    item = number++;
  std::vector<i64> answers(set.strategies.all().size(), 0);
  for (const std::string& name : set.strategies.all())
    out.push_back({name, std::vector<f64>(items.size(), kNan)});
  for (const Candidate& c : set.all) {
    stat::Way& way = out[usize(c.strategy)];
    way.values[usize(items.at(set.questions.all()[usize(c.question)]))] = metric.value(c);
    way.tie_breaker += static_cast<f64>(tokens_of(c));
    ++answers[usize(c.strategy)];
  }
  for (std::size_t s = 0; s < out.size(); ++s)
    if (answers[s] > 0) out[s].tie_breaker /= static_cast<f64>(answers[s]);
  return out;
}

}  // namespace

std::vector<const Metric*> metrics_of(const cli::Options& options) {
  const bool own = options.given("own");
  std::vector<const Metric*> out;
  const std::string text = options.given("metric") ? options.text("metric") : own ? "sppl" : "ppl";
  for (const std::string_view part : split(text, ',')) {
    const std::string_view name = trim(part);
    const Metric* const found = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                             [&](const Metric& m) { return m.name == name; });
    if (found == std::end(kMetrics))
      throw Error(ErrorKind::kUsage, cat("--metric: ", quote(name), " is none of its measures"),
                  "sppl, ppl, ifd, nll, length, reward and car are");
    if (std::find(out.begin(), out.end(), found) != out.end())
      throw Error(ErrorKind::kUsage, cat("--metric names ", quote(name), " twice"));
    if (found->shown && !own)
      throw Error(ErrorKind::kUsage, "sppl needs the model's own answers",
                  "--own FILE names them; ppl needs none");
    out.push_back(found);
  }
  return out;
}

std::vector<bool> AnswerSet::best_answers(const Metric& metric, i64 records) const {
  struct Best {
    std::tuple<f64, i64, std::string_view> key;
    i64 record;
  };
  std::map<i64, Best> best;  // by question
  for (const Candidate& c : all) {
    const f64 value = metric.value(c);
    if (!std::isfinite(value)) continue;
    const Best one{
        {metric.highest ? -value : value, tokens_of(c), strategies.all()[usize(c.strategy)]},
        c.record};
    const auto [at, added] = best.emplace(c.question, one);
    if (!added && one.key < at->second.key) at->second = one;
  }
  std::vector<bool> out(usize(records));
  for (const auto& [question, one] : best)
    out[usize(one.record)] = true;
  return out;
}

void AnswerSet::check_common(std::span<const Metric* const> metrics) const {
  for (const Metric* const metric : metrics) {
    if (stat::common_items(ways_of(*this, *metric)).empty())
      throw Error(
          ErrorKind::kData,
          cat(metric->name, ": no question has a value of every strategy to compare them by"),
          "records of fewer strategies, or another --metric");
  }
}

std::string AnswerSet::json(std::span<const Metric* const> metrics,
                            const stat::BootstrapOptions& options) const {
  std::string out = cat("{\"answers\":", all.size(), ",\"incomplete_questions\":", incomplete,
                        ",\"shortened_prompts\":", shortened, ",\"metrics\":[");
  for (const Metric* const metric : metrics) {
    const std::vector<stat::Way> ways = ways_of(*this, *metric);
    const std::vector<stat::RankedWay> ranking = stat::rank_ways(ways, metric->highest, options);
    const bool chosen = std::isfinite(ranking[0].mean.mean);
    append(out, out.back() == '[' ? "" : ",", "{\"metric\":\"", metric->name,
           "\",\"questions\":", stat::common_items(ways).size(), ",\"of\":", ways[0].values.size(),
           ",\"chosen\":", chosen ? io::json_string(ways[usize(ranking[0].way)].name) : "null",
           ",\"ranking\":[");
    for (std::size_t r = 0; r < ranking.size(); ++r) {
      const stat::RankedWay& one = ranking[r];
      append(out, r > 0 ? "," : "", "{\"strategy\":", io::json_string(ways[usize(one.way)].name),
             ",\"mean\":");
      io::append_json_number(out, one.mean.mean);
      out += ",\"se\":";
      io::append_json_number(out, one.mean.standard_error);
      append(out, ",\"n\":", one.mean.n, ",\"answers\":", one.tried, ",\"infinite\":", one.infinite,
             ",\"p_best\":");
      io::append_json_number(out, one.p_best);
      append(out, ",\"tied\":", one.tied ? "true" : "false", "}");
    }
    out += "]}";
  }
  return out + "]}";
}

std::string AnswerSet::table(std::span<const Metric* const> metrics,
                             const stat::BootstrapOptions& options) const {
  std::vector<std::vector<std::string>> rows = {
      {"metric", "strategy", "mean", "se", "n", "p_best", ""}};
  const auto number = [](f64 x) {
    return std::isnan(x) ? std::string("-") : std::isinf(x) ? "inf" : format_fixed(x, 4);
  };
  std::string notes;
  for (const Metric* const metric : metrics) {
    const std::vector<stat::Way> ways = ways_of(*this, *metric);
    bool first = true;
    for (const stat::RankedWay& one : stat::rank_ways(ways, metric->highest, options)) {
      std::string said = one.tied ? "tied" : "";
      if (one.infinite > 0) {
        said = cat(one.infinite, " infinite");
      } else if (one.mean.n == 0) {
        said = "no value";
      } else if (first) {
        said = "best";
      }
      first = false;
      rows.push_back({metric->name, ways[usize(one.way)].name, number(one.mean.mean),
                      number(one.mean.standard_error), cat(one.mean.n), format_fixed(one.p_best, 3),
                      std::move(said)});
    }
    const i64 common = isize(stat::common_items(ways));
    const i64 all_questions = isize(ways[0].values);
    if (common < all_questions)
      append(notes, metric->name, ": over ", common, " of ", all_questions,
             " questions, those that every strategy has a value of\n");
  }
  return tool_options::aligned_table(rows) + notes;
}

}  // namespace lm::filter_tool
