#pragma once
// Every tagger by name.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tag/tagger.h"

namespace lm::tag {

/// In the order of families; names are unique. Made once per process.
const std::vector<TaggerDef>& catalogue();
/// Null for a name that is not there.
const TaggerDef* find_tagger(std::string_view name);
/// Throws Error{kUsage} with the nearest names (edit distance up to 3) for a name that is not
/// there.
const TaggerDef& tagger_named(std::string_view name);

/// The taggers of the catalogue with these names, complete: those that need a file have read it.
/// Throws Error{kUsage} for names that are not there and for a file that is not given.
std::vector<TaggerDef> complete_taggers(const std::vector<std::string>& names, TagFiles& files);

/// name with _ for everything outside A-Z a-z 0-9 _, as the parts of an attribute's key are spelt.
std::string key_part(std::string_view name);

/// For a key E__T__type whose T is in the catalogue: throws Error{kUsage} with the nearest types if
/// T has no such type. Other keys pass: they belong to somebody else.
void check_key(std::string_view key);

/// One line per tagger: name, unit, types, fields and files it needs, summary.
std::string catalogue_table();

}  // namespace lm::tag
