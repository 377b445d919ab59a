#pragma once
// Pieces of records.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::synth {

/// Appends ,"name":"text".
void add_text(std::string& fields, std::string_view name, std::string_view text);
/// Appends ,"name":json.
void add_json(std::string& fields, std::string_view name, std::string_view json);
/// Appends ,"name":[...].
void add_list(std::string& fields, std::string_view name, std::span<const i64> numbers);
void add_reals(std::string& fields, std::string_view name, std::span<const f64> numbers);

/// Symbols as words: a .. z, A .. Z, 0 .. 9, then s62, s63, ...
std::string symbol(i64 id);
/// The id of such a word, or nothing.
std::optional<i64> symbol_id(std::string_view word);
/// Words of a vocabulary of `plain` symbols and further names, blanks between.
std::string words(std::span<const i64> ids, i64 plain, std::span<const std::string_view> names);

/// A prompt and what follows it, as prompt and completion (which begins with a blank) or as
/// prompt_ids and completion_ids.
void add_question(std::string& fields, bool as_ids, std::span<const i64> prompt,
                  std::span<const i64> completion, i64 plain,
                  std::span<const std::string_view> names = {});

/// Ids, each with a comma behind it: what instances are compared by.
std::string key_of(std::span<const i64> ids);

}  // namespace lm::synth
