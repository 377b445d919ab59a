#include "train/run_folder.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"
#include "io/folder.h"
#include "model/checkpoint.h"

namespace lm::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";

std::string step_name(i64 step) {
  const std::string digits = cat(step);
  return cat(kPrefix, std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0'), digits);
}

/// The step of a folder name, or nullopt.
std::optional<i64> parse_step(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::optional<i64> step = parse_int(name.substr(kPrefix.size()));
  if (!step || step_name(*step) != name) return std::nullopt;
  return step;
}

bool is_temporary(const std::string& name) {
  return name.starts_with(".") && name.find(".lm-") != std::string::npos;
}

void remove_temporaries(const std::string& folder) {
  std::error_code code;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    // With the lock held every temporary belongs to a dead process.
    if (is_temporary(name)) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
    }
  }
}

}  // namespace

RunFolder::RunFolder(const std::string& path, const io::OutputOptions& options, bool owner)
    : path_(path), options_(options) {
  while (path_.size() > 1 && path_.back() == '/')
    path_.pop_back();
  if (!owner) return;
  std::error_code code;
  created_ = fs::create_directories(path_, code);
  if (code || !fs::is_directory(path_))
    throw os_error(ErrorKind::kCannotCreate, path_, "cannot create the folder",
                   code ? code.value() : ENOTDIR);
  // What a run has from its first moment is the lock; a copied one has checkpoints.
  io::check_replaceable(path_, "run", [](const std::string& name) {
    return name == ".lock" || name == "latest" || parse_step(name);
  });
  const std::string lock = cat(path_, "/.lock");
  lock_ = io::Fd(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock_.valid()) throw os_error(ErrorKind::kCannotCreate, lock, "cannot create", errno);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    // A file system without locks is no reason to stop.
    if (errno == EWOULDBLOCK)
      throw Error(ErrorKind::kCannotCreate, cat(path_, ": another process trains in this folder"));
  }
  remove_temporaries(path_);
}

// The lock is held until the folder is gone: who meets it meanwhile is told that a process trains.
RunFolder::~RunFolder() {
  if (!created_ || !lock_.valid()) return;
  std::error_code code;
  std::vector<fs::path> empty;  // the lock, and metrics without a line
  for (fs::directory_iterator at(path_, code); !code && at != fs::directory_iterator();
       at.increment(code)) {
    std::error_code unknown;
    if (!at->is_regular_file(unknown) || at->file_size(unknown) != 0) return;
    empty.push_back(at->path());
  }
  if (code) return;
  for (const fs::path& file : empty)
    fs::remove(file, code);
  fs::remove(path_, code);
}

std::string RunFolder::step_path(i64 step) const {
  return cat(path_, "/", step_name(step));
}

std::vector<i64> RunFolder::steps() const {
  std::vector<i64> out;
  std::error_code code;
  for (const std::string& name : io::list_folder(path_)) {
    const std::optional<i64> step = parse_step(name);
    if (step && fs::is_directory(step_path(*step), code)) out.push_back(*step);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<i64> RunFolder::newest_good(Log& log, i64 most) const {
  std::vector<i64> found = steps();
  std::erase_if(found, [most](i64 step) { return step > most; });
  const std::string pointer = cat(path_, "/latest");
  if (io::path_exists(pointer)) {
    const std::optional<i64> named = parse_step(trim(io::read_file(pointer, 4096)));
    const auto at = named ? std::find(found.begin(), found.end(), *named) : found.end();
    if (at != found.end()) {
      found.erase(at);
      found.push_back(*named);
    }
  }
  for (auto it = found.rbegin(); it != found.rend(); ++it) {
    const std::string folder = step_path(*it);
    std::string wrong = io::path_exists(cat(folder, "/manifest.json"))
                            ? model::verify_folder(folder)
                            : "manifest.json is missing";
    if (wrong.empty() && !io::path_exists(cat(folder, "/state/state.json")))
      wrong = "state/state.json is missing";
    if (wrong.empty()) return *it;
    log.message(LogLevel::kWarning, cat(folder, ": ", wrong, "; trying an older checkpoint"));
  }
  if (found.empty()) return std::nullopt;
  throw Error(ErrorKind::kData, cat(path_, ": none of ", found.size(), " checkpoints is intact"));
}

void RunFolder::point(const std::string& name, i64 step) const {
  io::write_file(cat(path_, "/", name), cat(step_name(step), "\n"), options_);
}

std::optional<i64> RunFolder::final_step() const {
  std::error_code code;
  const fs::path target = fs::read_symlink(cat(path_, "/final"), code);
  return code ? std::nullopt : parse_step(target.filename().string());
}

void RunFolder::link_final(i64 step) const {
  const std::string link = cat(path_, "/final");
  const std::string temp = cat(path_, "/.final.lm-", ::getpid());
  ::unlink(temp.c_str());
  if (::symlink(step_name(step).c_str(), temp.c_str()) != 0)
    throw os_error(ErrorKind::kCannotCreate, link, "cannot link", errno);
  if (::rename(temp.c_str(), link.c_str()) != 0) {
    const int code = errno;
    ::unlink(temp.c_str());
    throw os_error(ErrorKind::kIo, link, "rename failed", code);
  }
}

void RunFolder::retire(i64 keep, i64 keep_every, const std::vector<i64>& protect) const {
  std::vector<i64> candidates;
  for (const i64 step : steps()) {
    const bool stays = (keep_every > 0 && step % keep_every == 0) ||
                       std::find(protect.begin(), protect.end(), step) != protect.end();
    if (!stays) candidates.push_back(step);
  }
  for (i64 i = 0; i + keep < isize(candidates); ++i) {
    // Out of sight first: a kill in between must not leave half a checkpoint under a good name.
    const std::string folder = step_path(candidates[usize(i)]);
    const std::string hidden =
        cat(path_, "/.", step_name(candidates[usize(i)]), ".lm-", ::getpid(), "-old");
    std::error_code code;
    fs::rename(folder, hidden, code);
    fs::remove_all(code ? folder : hidden, code);
    if (code)
      throw os_error(ErrorKind::kIo, folder, "cannot remove the old checkpoint", code.value());
  }
}

}  // namespace lm::train
