#pragma once
// Values given to names: NAME = VALUE in the forms that the detectors of secrets know.

#include <string_view>

#include "core/types.h"

namespace lm::tag {

/// Bytes of the character of words (Python's \w) at a place, 0 if there is none.
i64 py_word_size(std::string_view s, i64 at);
/// True if such a character ends before at.
bool py_word_before(std::string_view s, i64 at);
/// End of the run of them, and of dashes, from at on.
i64 word_run_end(std::string_view s, i64 at);

/// Start of the value given to a name that ends at `at`, or -1: an optional quote and ], an
/// operator
/// (= : := => :: or blanks) with blanks around it, an optional quote. O(blanks).
i64 assigned_value(std::string_view s, i64 at);

/// True if what stands before `at`, the start of key, token, password or the like, makes of it the
/// name of a credential: at a boundary of words, [ and a quote in front of it allowed.
bool is_ibm_iam_name(std::string_view s, i64 at);
bool is_ibm_cos_name(std::string_view s, i64 at);
bool is_soft_layer_name(std::string_view s, i64 at);
bool is_cloudant_name(std::string_view s, i64 at);

}  // namespace lm::tag
