#pragma once
// How much of a program is comment, by what its extension says of its language.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::tag {

/// kScript: /patterns/ and `templates` too; kRaw: `strings` without escapes; kPhp: between <? and
/// ?>; kPostScript: (strings (in strings)).
enum class Shape : u8 { kPlain, kNested, kScript, kRaw, kPhp, kPostScript };

/// What Dolma, which asks Pygments, makes of a language.
enum class Reference : u8 {
  kSame,     // finds its comments
  kNothing,  // finds none, since they have another name there
  kFails,    // does not know the language
};

struct CodeLanguage {
  const char* lines;   // what begins a comment up to the end of the line; "python" for Python
  const char* blocks;  // pairs: what begins one, what ends it
  Shape shape;
  bool line_end;  // the reference counts the newline behind a comment too
  Reference reference;
  const char* extensions;  // without the dot, separated by blanks
  // Quotes whose strings may go on over lines, and those that do so for the reference.
  std::string_view spanning = {};
  std::string_view reference_spanning = {};
};

/// By their comments; strings that span lines are not in it, they differ by extension.
std::span<const CodeLanguage> code_languages();
/// Null for an extension that is in no language's list; they are as in the table, case included.
const CodeLanguage* language_of(std::string_view extension);
/// True for python, java and javascript, whose comments the second version of the taggers counts.
bool is_common_language(std::string_view extension);
bool is_html(std::string_view extension);

/// Code points in comments, the marks around them included; of Python those of comments without #
/// and of docstrings without indentation. dolma: as the reference counts. O(|text|).
i64 comment_chars(std::string_view text, const CodeLanguage& language, bool dolma);
/// Of Python alone. dolma: 0 for what its own tokenizer does not get through, and no docstrings of
/// async functions.
i64 python_text_chars(std::string_view text, bool dolma);

}  // namespace lm::tag
