#pragma once
// Kinds of --define that have a file of their own.

#include "tag/define.h"

namespace lm::tag {

/// regex:PATTERN. Throws Error{kUsage} for what is no pattern.
TaggerDef regex_tagger(const Definition& of, TagFiles& files);
/// external:TYPE,...:COMMAND. Throws Error{kUsage} for another form.
TaggerDef external_tagger(const Definition& of, TagFiles& files);

}  // namespace lm::tag
