#pragma once
// The notations a grammar may be written in. Each function compiles a text to the one form that
// matchers run (rules.h), or says why not: Fault "grammar" with the place (column of a pattern,
// line of a grammar, pointer into a schema), or Fault "budget".

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "grammar/json_schema.h"
#include "grammar/rules.h"
#include "io/json_node.h"

namespace lm::grammar {

using GrammarPtr = std::shared_ptr<const Grammar>;  // shared by the matchers of all sequences

/// What compiling may take.
struct CompileRoom {
  i64 bytes = i64{64} << 20;
  TableHold* hold = nullptr;  // covers them meanwhile; null: nothing does
};

/// Texts that match as a whole (regex.h).
Result<GrammarPtr> compile_regex(std::string_view pattern, const CompileRoom& room = {});
/// One of the texts, at least one.
Result<GrammarPtr> compile_choices(std::span<const std::string> choices,
                                   const CompileRoom& room = {});
/// EBNF (gbnf.h).
Result<GrammarPtr> compile_gbnf(std::string_view text, const CompileRoom& room = {});
/// The subset of Lark's notation in lark.h.
Result<GrammarPtr> compile_lark(std::string_view text, const CompileRoom& room = {});
/// JSON texts of the values that a schema allows (json_schema.h).
Result<GrammarPtr> compile_json_schema(const io::Json& schema, const SchemaOptions& options = {},
                                       const CompileRoom& room = {});
/// Any JSON value.
Result<GrammarPtr> compile_json(const SchemaOptions& options = {}, const CompileRoom& room = {});

}  // namespace lm::grammar
