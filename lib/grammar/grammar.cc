#include "grammar/grammar.h"

#include "core/str.h"
#include "grammar/gbnf.h"
#include "grammar/lark.h"
#include "grammar/regex.h"

namespace lm::grammar {

namespace {

template <typename Fill>
Result<GrammarPtr> compiled(const CompileRoom& room, Fill fill) {
  return faulted([&] {
    RuleSet set(Budget("grammar memory", room.bytes, room.hold));
    std::vector<std::string> warnings;
    fill(set, warnings);
    const auto made = std::make_shared<Grammar>(std::move(set));
    made->set_warnings(std::move(warnings));
    return GrammarPtr(made);
  });
}

using Warnings = std::vector<std::string>;

}  // namespace

Result<GrammarPtr> compile_regex(std::string_view pattern, const CompileRoom& room) {
  return compiled(room, [&](RuleSet& set, Warnings&) {
    set.rules.push_back({cat("pattern ", quote(pattern)), parse_regex(set.table, pattern)});
  });
}

Result<GrammarPtr> compile_choices(std::span<const std::string> choices, const CompileRoom& room) {
  return compiled(room, [&](RuleSet& set, Warnings&) {
    if (choices.empty()) refuse("no choices");
    std::vector<Expr> options;
    for (const std::string& choice : choices)
      options.push_back(set.table.literal(choice));
    set.rules.push_back({"choices", set.table.alt(std::move(options))});
  });
}

Result<GrammarPtr> compile_gbnf(std::string_view text, const CompileRoom& room) {
  return compiled(room, [&](RuleSet& set, Warnings&) { parse_gbnf(set, text); });
}

Result<GrammarPtr> compile_lark(std::string_view text, const CompileRoom& room) {
  return compiled(room, [&](RuleSet& set, Warnings&) { parse_lark(set, text); });
}

Result<GrammarPtr> compile_json_schema(const io::Json& schema, const SchemaOptions& options,
                                       const CompileRoom& room) {
  return compiled(room, [&](RuleSet& set, Warnings& warnings) {
    parse_json_schema(set, schema, options, warnings);
  });
}

Result<GrammarPtr> compile_json(const SchemaOptions& options, const CompileRoom& room) {
  return compile_json_schema(io::Json(true), options, room);
}

}  // namespace lm::grammar
