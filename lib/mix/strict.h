#pragma once
// A misspelt attribute never fires and nothing shows it: published filters name attributes that no
// tagger writes. So a rule's attribute must be in some record, be it as the empty list by which
// taggers declare what they look for, or in the declaration of a stream's header.
// Thread rule: one object per worker; sums are order-independent.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "io/json.h"
#include "io/tags.h"
#include "mix/names.h"

namespace lm::mix {

/// Attributes that taggers said in headers they look for, by whole name.
class Declared {
 public:
  /// Takes what a header and its chain declare (params.attributes).
  void add(const io::StreamHeader& header);
  bool has(std::string_view name) const { return names_.find(name) != names_.end(); }
  /// Throws Error{kData} for the first attribute that names a type which its tagger has not looked
  /// for, though it has said what it looks for; before any record is read. Attributes of taggers
  /// that declare nothing pass.
  void check(const Names& names, const std::vector<std::string>& allowed) const;

 private:
  std::set<std::string, std::less<>> names_;
  std::set<std::string, std::less<>> taggers_;  // EXPERIMENT__TAGGER__
};

/// What is wrong with a rule's attribute that is in none of so many records, with those of the
/// known names that are near it.
Error unseen_attribute(const std::string& name, i64 records, const std::set<std::string>& known);

class SeenAttributes {
 public:
  /// names: complete and outlives this; attributes_field: the index of the path "attributes". The
  /// first `asked` paths are those that rules name, up to `named` are those that are left out, of
  /// which null is there, too.
  SeenAttributes(const Names& names, i64 attributes_field, i64 asked, i64 named);
  /// A good record. Names for suggestions are taken from the first records of the first inputs, so
  /// that they cost neither time nor memory.
  void look(const io::JsonReader& json, i64 input, i64 line);
  void add(const SeenAttributes& other);
  i64 records() const { return records_; }

  /// Throws Error{kData} for the first named attribute that is in no record and not declared,
  /// unless it is allowed to be missing or there are no records. Whole names.
  void check(const std::vector<std::string>& allowed, const Declared& declared = {}) const;
  /// Fields that were named, no attributes, which no record has: perhaps misspelt, perhaps
  /// optional. Empty if there are no records.
  std::vector<std::string> unseen_fields() const;

 private:
  const Names* names_;
  i64 field_;
  i64 records_ = 0;
  std::vector<u8> seen_;    // by attribute
  std::vector<u8> fields_;  // by path that is named
  i64 asked_;
  std::set<std::string> known_;
};

}  // namespace lm::mix
