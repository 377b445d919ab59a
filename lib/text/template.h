#pragma once
// Templates in the part of Jinja that prompt and chat templates use. Parsing and rendering are
// strict: what is not understood (a filter, a test, a statement, an attribute) is an error that
// names template, line and column, never an empty text.
//   statements  if elif else, for else (with if, loop.*, unpacking, break, continue), set (names,
//               unpacking, namespace attributes, blocks), macro, raw, generation (transparent)
//   expressions literals, . [] slices, calls, filters, tests, + - * / // % ** ~ in not and or,
//               chained comparisons, x if y else z
//   filters     template_filters.cc lists them; methods of strings, lists and dicts:
//               template_methods.cc
//   functions   range namespace dict raise_exception
// Values behave as in Python. Not there, by name in the error: include, import, extends, block,
// call, recursive loops, string % formatting. A template is immutable: render() may run
// concurrently. Source: the behaviour of Jinja 3.1 (tests/unit/text/template_test.cc has its
// outputs).

#include <memory>
#include <string>
#include <string_view>

#include "text/value.h"

namespace lm::text {

struct TemplateOptions {
  bool trim_blocks = false;    // the newline behind a block is dropped
  bool lstrip_blocks = false;  // blanks before a block that begins a line are dropped
  bool keep_trailing_newline = true;
  bool strict = true;     // a name without a value cannot be used; off: it is an empty text or list
  bool html_json = true;  // tojson escapes < > & ' as Jinja's own does; off: plain JSON

  /// As evaluation harnesses render task templates.
  static TemplateOptions task() { return {}; }
  /// As transformers renders chat templates.
  static TemplateOptions chat() { return {true, true, false, false, false}; }
};

struct TemplateTree;

class Template {
 public:
  /// name: what errors begin with ("task.yaml:12: doc_to_text"). Throws Error{kData} with
  /// "NAME: line L, column C: what".
  Template(std::string_view source, std::string name, const TemplateOptions& options = {});
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  /// vars: a map from names to values. Throws Error{kData} for what the template cannot do with
  /// them, and for outputs of more than 64 MiB.
  std::string render(const Value& vars) const;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  TemplateOptions options_;
  std::unique_ptr<const TemplateTree> tree_;
};

}  // namespace lm::text
