#include "common/wordnet_option.h"

#include "core/str.h"
#include "io/file.h"

namespace lm::tool_options {

cli::Flag wordnet_flag(const std::string& group) {
  using cli::FlagKind;
  return {.name = "wordnet",
          .kind = FlagKind::kPath,
          .value_name = "FOLDER",
          .group = group,
          .def = "/usr/share/wordnet",
          .help = "the WordNet 3.0 database: index, data, exceptions and cntlist.rev",
          .details = "Debian's package wordnet-base has it.",
          .semantic = false,
          .main = true};
}

uq::WordNet open_wordnet(const cli::Options& options) {
  constexpr const char* kPackage = "the package wordnet-base has it (apt-get install wordnet-base)";
  const std::string& folder = options.text("wordnet");
  const bool asked = options.explicitly("wordnet");
  if (!asked && !io::path_exists(folder))
    throw Error(ErrorKind::kUnavailable, cat("no WordNet database in ", folder),
                cat(kPackage, "; --wordnet FOLDER reads it elsewhere"));
  try {
    return uq::WordNet(folder);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kNoInput) throw;
    throw Error(e.kind(), cat(e.message(), ", which a WordNet 3.0 database has"), kPackage);
  }
}

}  // namespace lm::tool_options
