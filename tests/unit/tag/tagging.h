#pragma once
// Runs one tagger over one text, as the program does.

#include <map>
#include <string>
#include <vector>

#include "catch.h"
#include "io/json.h"
#include "tag/catalogue.h"
#include "tag/plan.h"

namespace lm::tag {

using Spans = std::vector<text::ScoredSpan>;

/// What a tagger finds, by type; types without spans are absent.
inline std::map<std::string, Spans> found(const TaggerDef& tagger, std::string_view text,
                                          const TagSettings& settings = {},
                                          const std::string& more = "") {
  const TagPlan plan(std::vector<TaggerDef>{tagger}, "", settings);
  const FieldPlaces places("text", plan);
  io::JsonReader json(places.paths());
  std::string line = "{\"text\":" + io::json_string(text) + more + "}";
  const std::size_t size = line.size();
  line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
  REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
  TagWorker worker(plan);
  // Twice: nothing of the first document may be left.
  const std::optional<Fault> first = worker.tag(json, places);
  REQUIRE_FALSE(first);
  REQUIRE_FALSE(worker.tag(json, places));
  std::map<std::string, Spans> out;
  for (i64 i = 0; i < isize(plan.keys()); ++i) {
    const std::span<const text::ScoredSpan> spans = worker.spans(i);
    if (!spans.empty())
      out[plan.type(plan.keys()[static_cast<std::size_t>(i)]).name] = {spans.begin(), spans.end()};
  }
  return out;
}

/// The same by a tagger of the catalogue. file: what --model gives it.
inline std::map<std::string, Spans> found(const std::string& tagger, std::string_view text,
                                          const TagSettings& settings = {},
                                          const std::string& more = "",
                                          const std::string& file = "") {
  TagFiles files;
  if (!file.empty()) files.give("", file);
  return found(complete_taggers({tagger}, files)[0], text, settings, more);
}

/// The score of a type's only span.
inline f64 value(const std::map<std::string, Spans>& all, const std::string& type) {
  INFO(type);
  REQUIRE(all.count(type) == 1);
  REQUIRE(all.at(type).size() == 1);
  return all.at(type)[0].score;
}

/// The fault a tagger makes of a text; empty if none.
inline std::string fault_of(const std::string& tagger, std::string_view text,
                            const TagSettings& settings) {
  TagFiles files;
  const TagPlan plan(complete_taggers({tagger}, files), "", settings);
  const FieldPlaces places("text", plan);
  io::JsonReader json(places.paths());
  std::string line = "{\"text\":" + io::json_string(text) + "}";
  const std::size_t size = line.size();
  line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
  REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
  TagWorker worker(plan);
  const std::optional<Fault> fault = worker.tag(json, places);
  return fault ? fault->code : "";
}

}  // namespace lm::tag
