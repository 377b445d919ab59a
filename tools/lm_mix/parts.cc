#include "parts.h"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>

#include "core/hash.h"
#include "core/str.h"
#include "io/cat.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/json.h"
#include "io/json_node.h"

namespace lm::mix_tool {

namespace fs = std::filesystem;

std::string PartNames::path(i64 part) const {
  std::string number = cat(part);
  if (isize(number) < digits) number.insert(0, usize(digits - isize(number)), '0');
  return cat(folder, before, number, behind);
}

std::vector<std::string> PartNames::existing() const {
  std::vector<std::string> out;
  if (!folder.empty() && !io::path_exists(folder)) return out;
  for (const std::string& name : io::list_folder(folder.empty() ? "." : folder)) {
    if (!name.starts_with(before) || !name.ends_with(behind)) continue;
    if (name.size() < before.size() + behind.size()) continue;
    const std::string_view number =
        std::string_view(name).substr(before.size(), name.size() - before.size() - behind.size());
    if (isize(number) >= digits && number.find_first_not_of("0123456789") == std::string_view::npos)
      out.push_back(folder + name);
  }
  return out;
}

PartNames part_names(const std::string& pattern) {
  const std::size_t slash = pattern.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t percent = pattern.find('%');
  if (percent != std::string::npos && percent >= name &&
      io::part_name(pattern, 0, 1) == io::part_name(pattern, 0, 2)) {
    const std::size_t end = pattern.find('d', percent);
    const std::string_view digits =
        std::string_view(pattern).substr(percent + 1, end - percent - 1);
    return {pattern.substr(0, name), pattern.substr(name, percent - name),
            std::max<i64>(1, parse_int(digits).value_or(1)), pattern.substr(end + 1)};
  }
  throw Error(ErrorKind::kUsage,
              cat("--output: ", quote(pattern), " has no number for the parts of --max-size"),
              "such as mix-%05d.jsonl.zst");
}

namespace {

std::string manifest_path(const Stream& stream) {
  return cat(stream.parts->folder, stream.name, ".manifest.json");
}

std::string list_path(const Stream& stream) {
  return cat(stream.parts->folder, stream.name, ".unfinished.json");
}

std::string text_of(const io::Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Of a file's records; nullopt where it is no whole stream.
std::optional<u64> digest_of(const std::string& path, const Context& ctx) {
  try {
    return io::count_records(path, ctx).digest;
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) throw;
    return std::nullopt;
  }
}

/// Of all that shapes the stream's outputs, and of the state of what it reads.
std::string manifest_key(const cli::Tool& tool, const Stream& stream) {
  std::string all = cat(cli::kToolkitVersion, "\n", stream.options.params_json(), "\n", tool.seed(),
                        "\n", stream.max_bytes, "\n");
  const auto add = [&all](const std::string& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) st = {};
    append(all, path, "\t", static_cast<i64>(st.st_size), "\t", static_cast<i64>(st.st_mtim.tv_sec),
           "\t", static_cast<i64>(st.st_mtim.tv_nsec), "\n");
  };
  for (const std::string& path : stream.documents)
    add(path);
  for (const std::vector<std::string>& folder : stream.sidecars) {
    for (const std::string& path : folder)
      add(path);
  }
  return hex64(xxh3_64(all));
}

/// The list of a stream's outputs at path if it is of the same settings and inputs; else nullopt.
std::optional<io::Json> agreeing_list(const cli::Tool& tool, const Stream& stream,
                                      const std::string& path) {
  if (!io::path_exists(path)) return std::nullopt;
  io::Json list;
  try {
    list = io::parse_object(io::read_file(path), path);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) throw;
    return std::nullopt;  // somebody else's
  }
  const auto outputs = list.find("outputs");
  if (text_of(list, "key") != manifest_key(tool, stream) || outputs == list.end() ||
      !outputs->is_array())
    return std::nullopt;
  return *outputs;
}

bool is_complete(const cli::Tool& tool, const Stream& stream) {
  const std::optional<io::Json> outputs = agreeing_list(tool, stream, manifest_path(stream));
  return outputs && !outputs->empty() &&
         std::all_of(outputs->begin(), outputs->end(), [&](const io::Json& one) {
           return one.is_object() && io::path_exists(stream.parts->folder + text_of(one, "name"));
         });
}

/// True where everything of the names is what the list has under them: records of the same digest.
bool is_unfinished(const cli::Tool& tool, const Stream& stream,
                   const std::vector<std::string>& there) {
  const std::optional<io::Json> outputs = agreeing_list(tool, stream, list_path(stream));
  return outputs && std::all_of(there.begin(), there.end(), [&](const std::string& path) {
           const auto same = [&](const io::Json& one) {
             return one.is_object() && stream.parts->folder + text_of(one, "name") == path &&
                    text_of(one, "digest") == hex64(digest_of(path, tool.ctx()).value_or(0));
           };
           return std::any_of(outputs->begin(), outputs->end(), same);
         });
}

}  // namespace

Found find_outputs(const cli::Tool& tool, const Stream& stream) {
  const std::vector<std::string> there = stream.parts->existing();
  if (stream.name.empty()) {
    if (there.empty()) return Found::kNothing;
    throw Error(ErrorKind::kCannotCreate, cat(there.front(), ": is there already"),
                "remove it, or name another place");
  }
  if (io::path_exists(manifest_path(stream))) {
    if (is_complete(tool, stream)) return Found::kComplete;
  } else if (there.empty()) {
    return Found::kNothing;
  } else if (is_unfinished(tool, stream, there)) {
    return Found::kUnfinished;
  }
  throw Error(ErrorKind::kCannotCreate,
              cat(there.empty() ? manifest_path(stream) : there.front(),
                  ": is there already, and not as these options and inputs make it"),
              "remove it, or name another place");
}

void refuse_outputs(const Stream& stream) {
  throw Error(ErrorKind::kCannotCreate, cat(stream.parts->existing().front(), ": is there already"),
              "--skip-complete keeps what this recipe has made; else remove it");
}

Parts::Parts(cli::Tool& tool, const Stream& stream, io::StreamHeader header)
    : tool_(tool), stream_(stream), header_(std::move(header)) {
  const std::string& text = tool.options().text("compress");
  const std::optional<io::Compression> compression = io::parse_compression(text);
  if (!compression) throw Error(ErrorKind::kUsage, cat("--compress: ", quote(text), " is unknown"));
  form_.compression = *compression;
  form_.seekable = tool.options().on("seekable");
  form_.file = tool.output_options();
}

void Parts::open() {
  if (!outputs_.empty()) outputs_.back()->finish({});
  const std::string& folder = stream_.parts->folder;
  if (!folder.empty()) folders_.make(folder);
  form_.path = stream_.parts->path(isize(outputs_));
  tool_.claim_output(form_.path);
  outputs_.push_back(std::make_unique<io::OutputStream>(form_, tool_.ctx()));
  outputs_.back()->begin(header_);
}

void Parts::write(std::string_view lines) {
  while (!lines.empty()) {
    if (outputs_.empty()) open();
    const i64 room = stream_.max_bytes - outputs_.back()->totals().bytes;
    io::StreamTotals totals;
    std::size_t at = 0;
    while (at < lines.size()) {
      const std::size_t end = lines.find('\n', at) + 1;
      // The first line of a part is written whatever its size.
      if (static_cast<i64>(end) > room && (at > 0 || outputs_.back()->totals().records > 0)) break;
      totals.add_line(lines.substr(at, end - 1 - at));
      at = end;
    }
    outputs_.back()->write(lines.substr(0, at), totals);
    lines.remove_prefix(at);
    if (!lines.empty()) open();
  }
}

std::string Parts::manifest() const {
  const io::StreamTotals all = totals();
  std::string out =
      cat("{\"manifest\":\"lm-mix/1\",\"stream\":", io::json_string(stream_.name),
          ",\"version\":\"", cli::kToolkitVersion, "\",\"key\":\"", manifest_key(tool_, stream_),
          "\",\"params\":", stream_.options.params_json(), ",\"seed\":", tool_.seed(),
          ",\"records\":", all.records, ",\"bytes\":", all.bytes, ",\"digest\":\"",
          hex64(all.digest), "\",\"outputs\":[");
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const io::StreamTotals& one = outputs_[i]->totals();
    const std::string path = stream_.parts->path(static_cast<i64>(i));
    append(out, i > 0 ? "," : "",
           "\n{\"name\":", io::json_string(path.substr(stream_.parts->folder.size())),
           ",\"records\":", one.records, ",\"bytes\":", one.bytes, ",\"digest\":\"",
           hex64(one.digest), "\"}");
  }
  return out + "]}\n";
}

void Parts::finish() {
  if (outputs_.empty()) open();
  outputs_.back()->finish({});
  if (stream_.name.empty()) return;
  const std::string text = manifest();
  const auto finished = [&](const std::string& path) {
    tool_.claim_output(path);
    std::unique_ptr<io::AtomicFile> file =
        std::make_unique<io::AtomicFile>(path, tool_.output_options());
    file->write(text);
    file->finish();
    return file;
  };
  list_ = finished(list_path(stream_));
  manifest_ = finished(manifest_path(stream_));
}

void Parts::commit_list() {
  if (list_) list_->commit();
}

void Parts::commit_outputs() {
  for (const std::unique_ptr<io::OutputStream>& output : outputs_)
    output->commit();
  folders_.keep();
}

void Parts::commit_manifest() {
  if (!manifest_) return;
  manifest_->commit();
  std::error_code ignored;  // beside a manifest the list means nothing
  fs::remove(list_path(stream_), ignored);
}

io::StreamTotals Parts::totals() const {
  io::StreamTotals out;
  for (const std::unique_ptr<io::OutputStream>& output : outputs_)
    out.add(output->totals());
  return out;
}

}  // namespace lm::mix_tool
