#pragma once
// The pieces of JSON texts as expressions: strings over sets of characters, constants, separators.

#include <string_view>

#include "grammar/expr.h"
#include "grammar/json_schema.h"
#include "io/json_node.h"

namespace lm::grammar {

/// How a character may be spelled inside a JSON string.
enum class Spelling {
  kNeeded,  // as itself where JSON allows that, else any of its escapes
  kAny,     // also by escapes it does not need
};

/// The texts that stand for one character of the set.
Expr json_chars(ExprTable& table, const CharSet& set, Spelling spelling);
/// The content of a string, exactly as given (UTF-8), in every spelling of its characters.
Expr json_string_texts(ExprTable& table, std::string_view text, Spelling spelling);
/// A number as constants are written: whole ones without fraction, else the shortest that reads
/// back.
std::string json_number_text(const io::Json& number);

/// Separators and constants in one way of spacing.
class JsonWriter {
 public:
  JsonWriter(ExprTable& table, const SchemaOptions& options);

  Expr blank() const { return blank_; }  // between a bracket and what stands beside it
  Expr comma() const { return comma_; }
  Expr colon() const { return colon_; }
  Expr edge() const { return edge_; }  // before and behind the whole text
  /// "[", blanks, inner, blanks, "]".
  Expr array(Expr inner);
  Expr object(Expr inner);
  Expr string(Expr content);
  /// "name": value, the name in its one spelling.
  Expr member(std::string_view name, Expr value);
  Expr constant(const io::Json& value);

 private:
  Expr enclosed(char open, Expr inner, char close);

  ExprTable& table_;
  Expr blank_ = kEmpty;
  Expr comma_ = kEmpty;
  Expr colon_ = kEmpty;
  Expr edge_ = kEmpty;
};

}  // namespace lm::grammar
