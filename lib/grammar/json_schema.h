#pragma once
// JSON Schema 2020-12 as a grammar: the JSON texts of the values that a schema allows, one spelling
// of each. What is honoured is honoured exactly; every other keyword is refused with its pointer,
// or, where the author asks for that, left out with a warning.
//
// Honoured: type, enum, const; minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf;
// minLength, maxLength (in characters), pattern, format (schema_format.h); properties, required,
// additionalProperties, patternProperties, propertyNames, minProperties, maxProperties,
// dependentRequired, dependentSchemas, unevaluatedProperties beside keywords that always apply;
// prefixItems, items, minItems, maxItems, contains, minContains, maxContains; allOf, anyOf, oneOf,
// not, if, then, else where alternatives are disjoint or their complements can be expressed; $ref
// to places and anchors of the same document, recursive ones too; boolean schemas.
// Spelling: members in the order in which the schema names them, further ones behind; names and
// constants with the escapes JSON demands alone, strings of a pattern or format likewise, other
// strings with any escape; whole numbers without fraction, at most 16 digits before and 16 behind
// the point unless bounds have more, exponents in unbounded numbers only. Members beyond the named
// ones may repeat a name.

#include <string>
#include <vector>

#include "grammar/rules.h"
#include "io/json_node.h"

namespace lm::grammar {

/// Blanks between the parts of a JSON text.
enum class JsonSpace {
  kCanonical,  // one space behind each colon and comma, none elsewhere
  kCompact,    // none
  kFlexible,   // up to a number of blanks and line ends in each place
  kFree,       // any number
};

struct SchemaOptions {
  JsonSpace space = JsonSpace::kCanonical;
  i32 flexible = 8;      // of kFlexible
  bool lenient = false;  // what cannot be honoured becomes a warning instead of a refusal
};

/// Throws Refusal "schema POINTER: what".
void parse_json_schema(RuleSet& set, const io::Json& schema, const SchemaOptions& options,
                       std::vector<std::string>& warnings);

}  // namespace lm::grammar
