#pragma once
// What an input is, by its name, and which files of a folder are of a format.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::ingest {

enum class Format { kJsonLines, kText, kCsv, kTsv, kParquet, kWarc, kWet };

/// By the suffix of a name, before .gz or .zst; letters of either case. nullopt for others.
std::optional<Format> format_of(std::string_view name);

struct FolderFiles {
  std::vector<std::string> files;  // folder/name, in byte order
  i64 others = 0;                  // files of other formats, not hidden
};
/// The files of a folder and the folders in it that are of one format, or of any when it is not
/// given. Hidden names (.x) and links to folders are not followed. Throws kNoInput, kPermission.
FolderFiles folder_files(const std::string& folder, std::optional<Format> format);

}  // namespace lm::ingest
