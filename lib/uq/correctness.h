#pragma once
// Whether an answer is right, as a quality in [0,1] against one or several references (the best one
// counts), without a model. Texts are compared by their answer_key (text/overlap.h).

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "uq/record.h"

namespace lm::uq {

enum class Correct : u8 {
  kAuto,      // given where the record has it, else exact
  kGiven,     // the field correct
  kExact,     // equal
  kContains,  // a reference stands in the answer, whole words
  kF1,        // F1 of the words; right from 0.5
  kRougeL,    // F1 of the longest common subsequence; right from 0.3
  kNumeric,   // the last numbers are equal
  kChoice,    // the chosen letters are equal
};
std::span<const std::string> correct_names();
std::optional<Correct> find_correct(std::string_view name);
/// The quality from which an answer counts as right.
f64 right_from(Correct kind);

/// Of one answer; kind is neither auto nor given. nullopt without references.
std::optional<f64> answer_quality(Correct kind, std::string_view answer,
                                  std::span<const std::string_view> refs);
/// Of a record: of its greedy answer, else of its first sample. nullopt if it cannot be told.
std::optional<f64> record_quality(Correct kind, const UqRecord& record);

/// What a record lacks for which record_quality() cannot tell.
const char* quality_missing(Correct kind);

/// The option an answer names: "B", "(b)", "B) text", "The answer is B." Upper case; nullopt if it
/// names none.
std::optional<char> chosen_letter(std::string_view answer);

}  // namespace lm::uq
