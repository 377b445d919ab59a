#include "io/resume.h"

#include "core/hash.h"
#include "core/str.h"
#include "io/frame.h"
#include "io/held.h"
#include "io/input.h"
#include "io/json.h"

namespace lm::io {

std::string record_key(u64 run_key, std::string_view id, std::string_view line) {
  return hex64(xxh3_64(line, xxh3_64(id, run_key)));
}

namespace {

bool is_compressed(const std::string& path) {
  const Mapping file(path);
  if (file.size() < 4) return false;
  const u32 magic = load_u32le(file.bytes().data());
  return magic == kZstdMagic || (magic & 0xFFFFFFF0u) == kSkippableBase;
}

}  // namespace

ResumeFile::ResumeFile(const std::string& path, i64 max_record_bytes, const OutputOptions& out,
                       const Context& ctx)
    : path_(path), out_(out), found_(ctx.tmp_dir), made_(ctx.tmp_dir) {
  if (!path_exists(path_)) return;
  InputOptions in;
  in.files = {path_};
  in.allow_empty = true;
  in.max_record_bytes = max_record_bytes;
  InputStream stream(in, ctx);
  JsonReader json({"id", "error", "lm.key"});
  i64 own = 0;
  i64 foreign = 0;
  while (std::unique_ptr<Batch> batch = stream.next()) {
    stream.decode(*batch);
    if (!batch->error) stream.stitch(*batch);
    if (batch->error) {  // cut: what stands before counts
      foreign += own + foreign == 0 && !is_compressed(path_) ? 1 : 0;
      break;
    }
    for (std::string_view rest = batch->lines(); !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      if (json.parse(line)) continue;
      if (!json.has(0) || !(json.has(1) || json.has(2))) {
        ++foreign;
        continue;
      }
      ++own;
      if (json.has(1)) continue;
      const Result<std::string> id = record_id(json, 0, 0);
      const Result<std::string_view> key = json.string(2);
      if (!id || !key) continue;
      const Place place{found_.size(), isize(line), *id};
      if (!places_.try_emplace(std::string(*key), place).second) continue;  // the same line
      order_.emplace_back(*key);
      found_.append(line.data(), isize(line));
    }
  }
  if (own == 0 && foreign > 0)
    throw Error(
        ErrorKind::kData,
        cat(path_, ": has no record with \"lm.key\", expected the results of an earlier run"),
        "--resume names what an earlier run wrote, or a file that is not there yet");
}

std::string ResumeFile::read(const Place& place) const {
  std::string line(usize(place.size), '\0');
  LM_CHECK(found_.read_at(line.data(), place.size, place.offset) == place.size,
           "spilled lines are there");
  return line;
}

std::optional<std::string> ResumeFile::find(const std::string& id, std::string_view key) {
  const auto at = places_.find(std::string(key));
  if (at == places_.end() || at->second.id != id) return std::nullopt;
  used_ += at->second.used ? 0 : 1;
  at->second.used = true;
  return read(at->second);
}

void ResumeFile::note(std::string_view lines) {
  made_.append(lines.data(), isize(lines));
  ++noted_;
}

i64 ResumeFile::store() const {
  AtomicFile file(path_, out_);
  for (const std::string& key : order_)
    file.write(read(places_.at(key)) + "\n");
  std::string made(usize(made_.size()), '\0');
  made_.read_at(made.data(), made_.size(), 0);
  file.write(made);
  file.commit();
  return isize(order_) + noted_;
}

}  // namespace lm::io
