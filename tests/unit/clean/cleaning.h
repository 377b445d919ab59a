#pragma once
// Runs cleaners over one text, as the program does.

#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "clean/chain.h"
#include "io/json.h"
#include "text/spans.h"
#include "text/utf8.h"

namespace lm::clean {

struct Cleaned {
  std::string text;  // what is left; the reason in angle brackets if the document is dropped
  StepCounts last;   // of the last cleaner
};

inline ChainPlan plan_of(const std::vector<std::string>& specs) {
  ChainPlan plan;
  for (const std::string& spec : specs)
    plan.add(spec, "--clean");
  return plan;
}

inline Cleaned cleaned(const std::vector<std::string>& specs, std::string_view text) {
  const ChainPlan plan = plan_of(specs);
  Chain chain(plan);
  // Twice: nothing of the first document may be left.
  const Chain::Outcome first = chain.run(text);
  Cleaned out;
  const Chain::Outcome outcome = chain.run(text);
  CHECK(first == outcome);
  out.text = outcome == Chain::Outcome::kSame ? std::string(text) : chain.text();
  if (outcome == Chain::Outcome::kDropped) {
    for (i64 i = 0; i < plan.size(); ++i)
      for (std::size_t k = 0; k < plan.def(i).reasons.size(); ++k)
        if (chain.counts()[usize(i)].by_reason[k] > 0)
          out.text = "<" + plan.def(i).reasons[k].name + ">";
  }
  Chain once(plan);
  once.run(text);
  out.last = once.counts().back();
  return out;
}

inline std::string clean_text(const std::string& spec, std::string_view text) {
  return cleaned({spec}, text).text;
}

/// The attributes of one run, by key; those without spans are left out.
inline std::vector<std::pair<std::string, std::vector<text::ScoredSpan>>> measured(
    const std::vector<std::string>& specs, std::string_view text) {
  const ChainPlan plan = plan_of(specs);
  Chain chain(plan);
  chain.run(text);
  std::string json;
  chain.append_attributes(json);
  std::string line = "{\"a\":" + json + "}";
  const std::size_t size = line.size();
  line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
  std::vector<std::string> paths;
  for (const std::string& key : plan.keys())
    paths.push_back("a." + key);
  io::JsonReader reader(paths);
  REQUIRE_FALSE(reader.parse(std::string_view(line).substr(0, size)));
  std::vector<std::pair<std::string, std::vector<text::ScoredSpan>>> out;
  for (i64 i = 0; i < isize(paths); ++i) {
    std::vector<text::ScoredSpan> spans;
    REQUIRE(reader.has(i));
    REQUIRE_FALSE(text::read_spans(reader.raw(i), spans));
    if (!spans.empty()) out.emplace_back(plan.keys()[usize(i)], spans);
  }
  return out;
}

/// The text without the spans, as a mixer cuts them out.
inline std::string cut_out(
    std::string_view text,
    const std::vector<std::pair<std::string, std::vector<text::ScoredSpan>>>& attributes) {
  const std::u32string cps = text::to_utf32(text);
  std::vector<bool> gone(cps.size());
  for (const auto& [key, spans] : attributes)
    for (const text::ScoredSpan& span : spans)
      for (i64 at = span.begin; at < span.end; ++at)
        gone[usize(at)] = true;
  std::u32string left;
  for (std::size_t i = 0; i < cps.size(); ++i)
    if (!gone[i]) left += cps[i];
  return text::to_utf8(left);
}

}  // namespace lm::clean
