#include "ingest/format.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/stat.h>

#include "core/error.h"
#include "core/str.h"
#include "io/folder.h"

namespace lm::ingest {

namespace {

struct Suffix {
  std::string_view suffix;
  Format format;
};
constexpr std::array<Suffix, 12> kSuffixes = {{
    {".jsonl", Format::kJsonLines},
    {".ndjson", Format::kJsonLines},
    {".json", Format::kJsonLines},
    {".txt", Format::kText},
    {".text", Format::kText},
    {".md", Format::kText},
    {".csv", Format::kCsv},
    {".tsv", Format::kTsv},
    {".tab", Format::kTsv},
    {".parquet", Format::kParquet},
    {".warc", Format::kWarc},
    {".wet", Format::kWet},
}};

void add_files(const std::string& folder, std::optional<Format> format, FolderFiles& out) {
  for (const std::string& name : io::list_folder(folder)) {
    if (name.starts_with('.')) continue;
    const std::string path = cat(folder, folder.ends_with('/') ? "" : "/", name);
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0)
      throw os_error(ErrorKind::kNoInput, path, "cannot open", errno);
    if (S_ISDIR(st.st_mode)) {
      add_files(path, format, out);
      continue;
    }
    const std::optional<Format> own = format_of(name);
    if (!own || (format && *own != *format)) {
      ++out.others;
    } else {
      out.files.push_back(path);
    }
  }
}

}  // namespace

std::optional<Format> format_of(std::string_view name) {
  const std::string lower = ascii_lower(name);
  std::string_view rest = lower;
  for (const std::string_view packed : {".gz", ".zst"})
    if (rest.ends_with(packed)) rest.remove_suffix(packed.size());
  for (const Suffix& one : kSuffixes)
    if (rest.size() > one.suffix.size() && rest.ends_with(one.suffix)) return one.format;
  return std::nullopt;
}

FolderFiles folder_files(const std::string& folder, std::optional<Format> format) {
  FolderFiles out;
  add_files(folder, format, out);
  std::sort(out.files.begin(), out.files.end());
  return out;
}

}  // namespace lm::ingest
