#pragma once
// Taggers that a user makes of a pattern, a list or a model: NAME[@UNIT]=KIND:ARGUMENT.

#include <string>
#include <string_view>

#include "tag/files.h"
#include "tag/tagger.h"

namespace lm::tag {

struct Definition {
  std::string name;      // A-Z a-z 0-9 _ . -
  std::string unit;      // document, line, paragraph; match for a pattern
  std::string argument;  // of the kind: a pattern, a file
};

/// Kinds that stand in files of their own. url_taggers.cc: urls.
TaggerDef urls_tagger(const Definition& of, TagFiles& files);

/// The tagger that text defines. Throws Error{kUsage} for a text of another form, for a name of the
/// catalogue and for kinds and units that are not there; what the kind throws for its argument.
TaggerDef defined_tagger(std::string_view text, TagFiles& files);

/// The kinds and what their arguments are, one line each.
std::string definition_kinds();

}  // namespace lm::tag
