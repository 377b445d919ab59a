#include "resume.h"

#include <set>

#include "core/hash.h"
#include "core/str.h"
#include "decode.h"
#include "io/json.h"

namespace lm::decode_tool {

ResumeFile::ResumeFile(cli::Tool& tool, const std::string& made_path)
    : tool_(tool),
      path_(tool.options().text("resume")),
      found_(tool.ctx().tmp_dir),
      made_(tool.ctx().tmp_dir) {
  if (!io::path_exists(path_)) return;
  const std::string digest = tool.header().params_json;
  io::InputOptions in;
  in.files = {path_};
  in.allow_empty = true;
  in.max_record_bytes = tool.options().integer("max-record");
  io::InputStream stream(in, tool.ctx());
  io::JsonReader json({"id", "error", "model", made_path});
  std::set<std::string> twice;
  while (std::unique_ptr<io::Batch> batch = stream.next()) {
    stream.decode(*batch);
    if (!batch->error) stream.stitch(*batch);
    if (batch->error) break;  // cut: what stands before counts
    for (std::string_view rest = batch->lines(); !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      if (json.parse(line) || !json.has(0) || json.has(1)) continue;
      const Result<std::string> id = record_id(json, 0, 0);
      const Result<std::string_view> model = json.string(2);
      if (!id || !model) continue;
      if (digest.find(*model) == std::string::npos)
        throw Error(ErrorKind::kData,
                    cat(path_, ": record ", quote(*id), " was made by another model"));
      const u64 made_with = xxh3_64(json.has(3) ? json.raw(3) : "");
      if (!places_.try_emplace(*id, Place{found_.size(), isize(line), made_with}).second)
        twice.insert(*id);
      found_.append(line.data(), isize(line));
    }
  }
  for (const std::string& id : twice)
    places_.erase(id);
}

std::string ResumeFile::read(Place place) const {
  std::string line(usize(place.size), '\0');
  LM_CHECK(found_.read_at(line.data(), place.size, place.offset) == place.size,
           "spilled lines are there");
  return line;
}

std::optional<std::string> ResumeFile::find(const std::string& id,
                                            std::string_view made_with) const {
  const auto at = places_.find(id);
  if (at == places_.end()) return std::nullopt;
  if (at->second.made_with != xxh3_64(made_with))
    throw Error(ErrorKind::kData,
                cat(path_, ": record ", quote(id), " was made with other parameters"));
  return read(at->second);
}

bool ResumeFile::first(const std::string& id) {
  return seen_.insert(xxh3_64(id)).second;
}

void ResumeFile::note(std::string_view lines) {
  made_.append(lines.data(), isize(lines));
  ++noted_;
}

i64 ResumeFile::store() const {
  io::AtomicFile file(path_, tool_.output_options());
  for (const auto& [id, place] : places_)
    file.write(read(place) + "\n");
  std::string made(usize(made_.size()), '\0');
  made_.read_at(made.data(), made_.size(), 0);
  file.write(made);
  file.commit();
  return isize(places_) + noted_;
}

}  // namespace lm::decode_tool
