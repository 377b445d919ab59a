#pragma once
// From a schema to rules. A value's language is that of a conjunction: places of the schema that
// all speak of the value. Choices between places (anyOf and the like) are multiplied out, so that
// what remains are alternatives, each a list of places whose own keywords decide, type by type. A
// conjunction is one rule, found again when it recurs; so recursion in the schema is recursion of
// rules. What is in a member or an item is the conjunction of what each place says of it.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grammar/json_number.h"
#include "grammar/json_text.h"
#include "grammar/schema_document.h"

namespace lm::grammar {

using Sites = std::vector<i32>;

class SchemaCompiler {
 public:
  SchemaCompiler(RuleSet& set, const io::Json& schema, const SchemaOptions& options,
                 std::vector<std::string>& warnings);
  void compile();

 private:
  // schema_alternatives.cc: what a conjunction comes to.
  struct Above;  // places a place was reached from without a step into a value
  struct Todo {
    i32 site;
    std::shared_ptr<const Above> above;  // shared by all that is reached from there
  };
  struct Branch {
    std::vector<Todo> todo;
    std::size_t next = 0;
    Sites sites;
    std::vector<std::vector<std::vector<Todo>>> choices;
  };
  const std::vector<Sites>& alternatives(const Sites& conjunction);
  void expand(Branch branch, std::vector<Sites>& out);
  void open(Branch& branch, const Todo& todo);
  std::vector<std::vector<Todo>> exclusive(i32 site, const std::shared_ptr<const Above>& above);
  /// Without places that allow everything; {impossible} if one allows nothing.
  Sites normal_form(Sites sites) const;
  bool is_impossible(const Sites& sites) const;
  /// Provably no value. depth: how far into members and items to look.
  bool empty(const Sites& conjunction, int depth);
  bool empty_alternative(const Sites& sites, int depth);

  // schema_valid.cc: whether a value, given as such, is allowed.
  bool valid(const io::Json& value, i32 site);
  bool valid(const io::Json& value, const Sites& sites);
  bool valid_here(const io::Json& value, i32 site);
  bool valid_besides_constants(const io::Json& value, i32 site);
  bool valid_scalar(const io::Json& value, i32 site);
  bool valid_array(const io::Json& value, i32 site);
  bool valid_object(const io::Json& value, i32 site);

  // schema_types.cc: one type of an alternative.
  Expr value(const Sites& conjunction);
  Expr alternative(const Sites& sites);
  Expr constants(const Sites& sites);
  bool has_type(const Sites& sites, std::string_view type) const;
  NumberSet number_set(const Sites& sites) const;
  Expr number(const Sites& sites);
  /// The contents of strings: characters between the quotes.
  Expr string_content(const Sites& sites);
  Expr string_contents(const Sites& conjunction);
  Expr any_string();
  Expr in_rule(Expr e, std::string_view what);
  /// Texts (not JSON) that the pattern matches somewhere.
  Expr pattern_text(const std::string& pattern, i32 site, const char* key);
  Expr pattern_content(const std::string& pattern, i32 site, const char* key, Spelling spelling);

  // schema_arrays.cc
  struct Items {
    std::size_t firsts = 0;  // places with a schema of their own
    i64 least = 0;
    i64 most = -1;  // -1: no limit
    i32 contains = -1;
    i64 least_contained = 0;
    i64 most_contained = -1;
  };
  Items items_of(const Sites& sites);
  Sites item_at(const Sites& sites, std::size_t index);
  Expr array(const Sites& sites);
  Expr array_containing(const Sites& sites, const Items& items);
  /// between `least` and `most` of one, separated; `before`: how many stand in front.
  Expr listed(Expr one, i64 before, i64 least, i64 most);

  // schema_objects.cc
  struct Names {
    std::vector<std::string> listed;  // in the order in which members stand
    std::vector<bool> required;
    i64 least = 0;
    i64 most = -1;
  };
  Names names_of(const Sites& sites);
  bool is_required(const Sites& sites, const std::string& name) const;
  Sites member_named(const Sites& sites, const std::string& name);
  struct Naming {  // of one member, by place
    std::function<bool(i32)> listed;
    std::function<std::vector<std::string>(i32)> patterns;  // that match the name
  };
  Sites member(const Sites& sites, const Naming& naming);
  std::optional<Sites> evaluated_beside(i32 site);
  Expr object(const Sites& sites);
  Expr further_names(const Sites& sites, const Names& names);
  Expr further_members(const Sites& sites, const Names& names);

  RuleSet& set_;
  ExprTable& table_;
  const SchemaOptions& options_;
  SchemaDocument document_;
  JsonWriter writer_;
  std::map<Sites, std::vector<Sites>> alternatives_;
  std::map<Sites, i32> rules_;
  std::vector<std::pair<i32, Sites>> pending_;  // rules without body yet
  std::map<Expr, i32> expr_rules_;
  std::map<std::string, Expr> patterns_;
  Expr any_integer_ = kNothing;
  Expr any_string_ = kNothing;
  int valid_depth_ = 0;
  i32 nothing_ = -1;  // a place that allows nothing
};

}  // namespace lm::grammar
