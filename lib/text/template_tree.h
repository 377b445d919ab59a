#pragma once
// What a template is parsed into. Private to template*.cc.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/template.h"

namespace lm::text {

/// Where something stands in the template, from 1; columns count bytes.
struct TemplatePlace {
  i64 line = 1;
  i64 column = 1;
};

/// Thrown inside; Template adds its name.
struct TemplateFault {
  TemplatePlace place;
  std::string what;
};

enum class TokenKind : u8 {
  kData,  // text between tags
  kPrintBegin,
  kPrintEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kWhole,
  kReal,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // of strings: unescaped
  TemplatePlace place;
};

/// Cuts a template; whitespace control is done here. Throws TemplateFault.
std::vector<Token> lex_template(std::string_view source, const TemplateOptions& options);

enum class ExprKind : u8 {
  kLiteral,    // value
  kName,       // text
  kList,       // args
  kTuple,      // args
  kDict,       // args: key, value, key, value, ...
  kAttribute,  // args[0].text
  kItem,       // args[0][args[1]]
  kSlice,      // args[0][args[1]:args[2]:args[3]], null where absent
  kCall,       // args[0](args[1:], named)
  kFilter,     // args[0] | text(args[1:], named)
  kTest,       // args[0] is text(args[1:], named)
  kUnary,      // text: - + not
  kBinary,     // text: + - * / // % ** ~ and or
  kCompare,    // args[0] ops[0] args[1] ops[1] ...
  kCondition,  // args[0] if args[1] else args[2], which may be null
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  TemplatePlace place;
  std::string text;
  Value value;
  std::vector<ExprPtr> args;
  std::vector<std::pair<std::string, ExprPtr>> named;
  std::vector<std::string> ops;
};

enum class StmtKind : u8 {
  kText,      // text
  kPrint,     // expr
  kIf,        // branches
  kFor,       // targets in expr if filter: body, otherwise
  kSet,       // targets = expr
  kSetBlock,  // targets = body
  kMacro,     // text, params: body
  kGroup,     // body
  kBreak,
  kContinue,
};

struct Stmt;
using StmtList = std::vector<std::unique_ptr<Stmt>>;

struct Stmt {
  StmtKind kind = StmtKind::kText;
  TemplatePlace place;
  std::string text;
  ExprPtr expr;
  ExprPtr filter;
  std::vector<std::string> targets;  // "name" or "space.name"
  bool unpacks = false;              // targets are the items of one value
  StmtList body;
  StmtList otherwise;
  std::vector<std::pair<ExprPtr, StmtList>> branches;   // of if; a null condition is else
  std::vector<std::pair<std::string, ExprPtr>> params;  // of a macro, with defaults
};

struct TemplateTree {
  StmtList body;
};

/// Throws TemplateFault.
TemplateTree parse_template(std::vector<Token> tokens);

/// What filters and methods need to know of the template that calls them.
struct TemplateScope {
  const TemplateOptions& options;
};

/// These know by name whether they exist, so that parsing can refuse what does not.
bool is_template_filter(std::string_view name);
bool is_template_test(std::string_view name);
/// Throw TemplateFault at place.
Value apply_filter(const std::string& name, Value input, CallArgs& args, const TemplateScope& scope,
                   const TemplatePlace& place);
bool apply_test(const std::string& name, const Value& input, CallArgs& args,
                const TemplateScope& scope, const TemplatePlace& place);
/// Nothing if values of this type have no such method.
std::optional<Value> call_method(Value& object, const std::string& name, CallArgs& args,
                                 const TemplatePlace& place);

/// Arguments by position or name, each at most once.
class ArgReader {
 public:
  /// names: of the positions. Throws TemplateFault for unknown names and too many arguments.
  ArgReader(const char* what, CallArgs& args, std::initializer_list<const char*> names,
            const TemplatePlace& place);
  const Value* get(std::size_t i) const { return values_[i]; }
  bool has(std::size_t i) const { return values_[i] != nullptr && !values_[i]->is_none(); }
  const Value& need(std::size_t i) const;
  const std::string& text(std::size_t i) const;  // must be a string
  i64 whole(std::size_t i, i64 fallback) const;
  bool flag(std::size_t i, bool fallback) const { return has(i) ? get(i)->truth() : fallback; }

 private:
  const char* what_;
  std::vector<const char*> names_;
  std::vector<const Value*> values_;
  TemplatePlace place_;
};

/// Items of a list, keys of a dict, characters of a string. Throws TemplateFault for what has none.
ValueList template_items(const Value& value, const TemplatePlace& place);
/// object[key] and object.key; undefined if there is none.
Value template_item(const Value& object, const Value& key, const TemplatePlace& place);
/// Throws TemplateFault if value has no value.
const Value& defined(const Value& value, const TemplatePlace& place);
/// Refuses a value too large to go on with: a text of more than 64 MiB, more than a million parts,
/// or 100 levels, as a namespace that contains itself has.
void check_template_size(const Value& value, const TemplatePlace& place);
/// The same without the fault: what is wrong, or nothing.
std::optional<std::string> template_size_problem(const Value& value);
/// The same for a text that is about to be made.
void check_template_bytes(f64 bytes, const TemplatePlace& place);
i64 template_length(const Value& value, const TemplatePlace& place);
/// Python's a < b. Throws TemplateFault for values without an order.
bool template_less(const Value& a, const Value& b, const TemplatePlace& place);
[[noreturn]] void template_fault(const TemplatePlace& place, std::string what);

}  // namespace lm::text
