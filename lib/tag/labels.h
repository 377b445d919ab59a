#pragma once
// What taggers by fastText share: the file of a run as a model, its labels as types, texts as the
// references make one line of them.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "classify/classifier.h"
#include "tag/tagger.h"

namespace lm::tag {

using Model = std::shared_ptr<const classify::Classifier>;

/// The model in a file, loaded once per run.
Model read_model(const std::string& path, TagFiles& files);

/// A type per label, by number; named says whether its prefix is left out. Throws Error{kData} that
/// names path if two have one key.
std::vector<TagType> label_types(const classify::Classifier& model, bool named,
                                 const std::string& meaning, const std::string& path);
/// Throws Error{kData} if two types have one key.
void check_types(const std::vector<TagType>& types, const std::string& path);
/// Number of a label, given without prefix. Throws Error{kData} if the model has none of it.
i64 needed_label(const classify::Classifier& model, std::string_view name, const std::string& path);

/// How a text becomes the one line that is asked about; newlines count as blanks in all.
enum class LineForm {
  kStripped,  // without white space at both ends
  kLower,     // the same in lower case
  kLines,     // every line separator of Unicode is a blank
  kWords,     // all white space of Unicode is a blank
};
/// A view of text or of scratch.
std::string_view as_line(std::string_view text, LineForm form, std::string& scratch);

}  // namespace lm::tag
