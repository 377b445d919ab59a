#include "io/atomic_file.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <set>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/str.h"

namespace lm::io {

namespace {

// The one piece of process-wide state in io/: a dying process must unlink what it was writing, and
// signals reach the process, not an object. Guarded by its mutex.
struct Unfinished {
  std::mutex mutex;
  std::set<std::string> paths;
  std::set<std::string> folders;  // that were made for outputs
  bool dying = false;             // nothing new may be begun
};

Unfinished& unfinished() {
  static Unfinished* const instance = new Unfinished();  // outlives static destruction
  return *instance;
}

// A file needs no descriptor to be removed: there may be none left. Into a folder another thread
// may put a file meanwhile, once: when the folder is gone it cannot.
void remove_path(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return;
  constexpr int kTries = 100;
  std::error_code error;
  for (int i = 0; i < kTries; ++i) {
    std::filesystem::remove_all(path, error);
    if (!error) return;
  }
}

// Calls make() unless the process is dying, and not while it begins to: what is made is either seen
// by discard_unfinished_outputs or not made.
template <typename Make>
auto while_alive(const std::string& path, const Make& make) {
  Unfinished& u = unfinished();
  const std::lock_guard<std::mutex> lock(u.mutex);
  if (u.dying) throw Error(ErrorKind::kIo, cat(path, ": the process is being stopped"));
  return make(u.paths);
}

// Makes a temporary: create() gives a result below 0, with errno, if it fails.
template <typename Create>
int create_temp(const std::string& path, const Create& create) {
  return while_alive(path, [&](std::set<std::string>& paths) {
    const int result = create();
    if (result >= 0) paths.insert(path);
    return result;
  });
}

void discard_temp(const std::string& path) {
  Unfinished& u = unfinished();
  const std::lock_guard<std::mutex> lock(u.mutex);
  if (u.paths.erase(path) > 0) remove_path(path);
}

struct SplitPath {
  std::string dir;
  std::string name;
};

SplitPath split_path(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// The descriptor of this process that a path stands for (/dev/stdout, /dev/fd/63 of a process
// substitution), or -1. Its link names no file: "pipe:[123]".
int own_descriptor(const std::string& path) {
  const SplitPath parts = split_path(path);
  const std::optional<i64> number = parse_int(parts.name);
  if (!number || *number < 0 || *number > INT_MAX) return -1;
  std::error_code error;
  const std::filesystem::path dir = std::filesystem::canonical(parts.dir, error);
  if (error || dir != cat("/proc/", static_cast<i64>(::getpid()), "/fd")) return -1;
  return static_cast<int>(*number);
}

// The file that a chain of links names, which need not exist yet; of a descriptor of this process
// its own name.
std::string resolve_link(const std::string& path) {
  std::string at = path;
  constexpr int kMostLinks = 40;  // the kernel's own limit
  for (int i = 0; i < kMostLinks; ++i) {
    if (own_descriptor(at) >= 0) return at;
    std::error_code error;
    const std::filesystem::path target = std::filesystem::read_symlink(at, error);
    if (error) return at;
    at = target.is_absolute() ? target.string() : cat(split_path(at).dir, "/", target.string());
  }
  throw Error(ErrorKind::kCannotCreate, cat(path, ": too many levels of symbolic links"));
}

// Temporaries are named by host and process so that a later run can tell whether the writer lives.
std::string host_tag() {
  char host[HOST_NAME_MAX + 1] = {};
  ::gethostname(host, sizeof host - 1);
  return hex64(fnv1a64(host)).substr(0, 6);
}

std::string temp_prefix(const SplitPath& parts) {
  return cat(".", parts.name, ".lm-");
}

std::string temp_name(const SplitPath& parts) {
  const u64 salt = mix64(static_cast<u64>(monotonic_s() * 1e9) ^ fnv1a64(parts.name));
  return cat(parts.dir, "/", temp_prefix(parts), static_cast<i64>(::getpid()), "-", host_tag(),
             hex64(salt).substr(0, 8));
}

void remove_stale(const SplitPath& parts) {
  DIR* dir = ::opendir(parts.dir.c_str());
  if (dir == nullptr) return;
  const std::string prefix = temp_prefix(parts);
  const std::string host = host_tag();
  std::vector<std::string> stale;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name(entry->d_name);
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    const std::size_t dash = rest.find('-');
    if (dash == std::string_view::npos || !rest.substr(dash + 1).starts_with(host)) continue;
    const std::optional<i64> pid = parse_int(rest.substr(0, dash));
    if (!pid || *pid <= 1 || *pid == ::getpid()) continue;
    if (::kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH) {
      stale.push_back(cat(parts.dir, "/", name));
    }
  }
  ::closedir(dir);
  for (const std::string& path : stale)
    remove_path(path);
}

void sync_dir(const std::string& dir) {
  int fd;
  do {
    fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) throw os_error(ErrorKind::kIo, dir, "cannot open the folder to sync it", errno);
  const Fd owner(fd);
  int rc;
  do {
    rc = ::fsync(fd);
  } while (rc != 0 && errno == EINTR);
  // Some file systems cannot sync folders and say EINVAL; nothing can be done about those.
  if (rc != 0 && errno != EINVAL) throw os_error(ErrorKind::kIo, dir, "sync failed", errno);
}

void sync_fd(int fd, std::string_view name) {
  int rc;
  do {
    rc = ::fsync(fd);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0 && errno != EINVAL && errno != EROFS) {
    throw os_error(ErrorKind::kIo, name, "sync failed", errno);
  }
}

int open_retry(const std::string& path, int flags) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

// rename and the bookkeeping under one lock: a dying process either sees the output complete or
// removes it, never half of both.
void rename_registered(const std::string& from, const std::string& to) {
  Unfinished& u = unfinished();
  const std::lock_guard<std::mutex> lock(u.mutex);
  if (u.paths.count(from) == 0) {
    throw Error(ErrorKind::kIo, cat(to, ": the unfinished output was discarded"));
  }
  if (::rename(from.c_str(), to.c_str()) != 0) {
    // A folder that another process made meanwhile.
    if (errno == ENOTEMPTY || errno == EEXIST)
      throw Error(ErrorKind::kCannotCreate, cat(to, ": exists already"));
    throw os_error(ErrorKind::kIo, to, "rename failed", errno);
  }
  u.paths.erase(from);
}

// Puts the new folder in the old one's place and removes the old one. One atomic step where the
// file system can exchange names; else the old folder steps aside first, and a crash between the
// two renames leaves it under its visible aside name.
void exchange_registered(const std::string& from, const std::string& to) {
  Unfinished& u = unfinished();
  const std::lock_guard<std::mutex> lock(u.mutex);
  if (u.paths.count(from) == 0) {
    throw Error(ErrorKind::kIo, cat(to, ": the unfinished output was discarded"));
  }
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) != 0) {
    const std::string aside = cat(to, ".old");
    if (::rename(to.c_str(), aside.c_str()) != 0 || ::rename(from.c_str(), to.c_str()) != 0) {
      throw os_error(ErrorKind::kIo, to, "rename failed", errno);
    }
    remove_path(aside);
  } else {
    remove_path(from);
  }
  u.paths.erase(from);
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path, const OutputOptions& options)
    : path_(resolve_link(path)), options_(options) {
  struct stat st {};
  const bool exists = ::stat(path_.c_str(), &st) == 0;
  if (exists && S_ISDIR(st.st_mode)) {
    throw Error(ErrorKind::kCannotCreate, cat(path, ": is a directory, expected a file name"));
  }
  const int own = own_descriptor(path_);
  const bool direct = own >= 0 || (exists && !S_ISREG(st.st_mode)) || !options.rename;
  if (direct) {
    // The shell opened it: what it holds already and where writing goes on stay as they are.
    const int fd = own >= 0 ? ::fcntl(own, F_DUPFD_CLOEXEC, 0)
                            : open_retry(path_, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) throw os_error(ErrorKind::kCannotCreate, path, "cannot create", errno);
    fd_ = Fd(fd);
    return;
  }
  const SplitPath parts = split_path(path_);
  if (parts.name.empty()) {
    throw Error(ErrorKind::kCannotCreate, cat(path, ": is no file name"));
  }
  remove_stale(parts);
  temp_ = temp_name(parts);
  const int fd = create_temp(temp_, [&] { return open_retry(temp_, O_RDWR | O_CREAT | O_EXCL); });
  if (fd < 0) throw os_error(ErrorKind::kCannotCreate, path, "cannot create", errno);
  fd_ = Fd(fd);
}

AtomicFile::~AtomicFile() {
  if (!temp_.empty() && !committed_) discard_temp(temp_);
}

void AtomicFile::write(std::string_view bytes) {
  write_full(fd_.get(), bytes.data(), static_cast<i64>(bytes.size()), path_);
}

void AtomicFile::write_at(std::string_view bytes, i64 offset) {
  pwrite_full(fd_.get(), bytes.data(), static_cast<i64>(bytes.size()), offset, path_);
}

void AtomicFile::finish() {
  if (finished_) return;
  if (options_.sync && is_regular(fd_.get())) sync_fd(fd_.get(), path_);
  fd_.close(path_);
  finished_ = true;
}

void AtomicFile::commit() {
  finish();
  if (!temp_.empty()) {
    rename_registered(temp_, path_);
    if (options_.sync) sync_dir(split_path(path_).dir);
  }
  committed_ = true;
}

AtomicDir::AtomicDir(const std::string& path, const OutputOptions& options, bool replace)
    : path_(path), options_(options), replace_(replace) {
  while (path_.size() > 1 && path_.back() == '/')
    path_.pop_back();
  path_ = resolve_link(path_);
  const SplitPath parts = split_path(path_);
  if (!replace && path_exists(path_)) {
    throw Error(ErrorKind::kCannotCreate, cat(path_, ": exists already"));
  }
  remove_stale(parts);
  parents_.make(parts.dir);
  temp_ = temp_name(parts);
  if (create_temp(temp_, [&] { return ::mkdir(temp_.c_str(), 0777); }) != 0)
    throw os_error(ErrorKind::kCannotCreate, path_, "cannot create the folder", errno);
}

AtomicDir::~AtomicDir() {
  if (!committed_) discard_temp(temp_);
}

std::string AtomicDir::file(const std::string& name) const {
  std::string path = cat(temp_, "/", name);
  const std::error_code error = while_alive(path, [&](const std::set<std::string>&) {
    std::error_code code;
    std::filesystem::create_directories(split_path(path).dir, code);
    return code;
  });
  if (error)
    throw os_error(ErrorKind::kCannotCreate, path, "cannot create the folder", error.value());
  return path;
}

void AtomicDir::commit() {
  if (options_.sync) {
    std::vector<std::string> dirs = {temp_};
    for (const std::filesystem::directory_entry& entry :
         std::filesystem::recursive_directory_iterator(temp_)) {
      if (entry.is_directory()) {
        dirs.push_back(entry.path().string());
      } else if (entry.is_regular_file()) {
        const int fd = open_retry(entry.path().string(), O_RDONLY);
        if (fd < 0)
          throw os_error(ErrorKind::kIo, entry.path().string(), "cannot open to sync", errno);
        const Fd owner(fd);
        sync_fd(fd, entry.path().string());
      }
    }
    for (const std::string& dir : dirs)
      sync_dir(dir);
  }
  if (replace_ && path_exists(path_)) {
    exchange_registered(temp_, path_);
  } else {
    rename_registered(temp_, path_);
  }
  committed_ = true;
  parents_.keep();
  if (options_.sync) sync_dir(split_path(path_).dir);
}

void MadeFolders::make(const std::string& path) {
  namespace fs = std::filesystem;
  std::vector<std::string> missing;
  std::error_code code;
  for (fs::path at = path; !at.empty() && !fs::exists(at, code); at = at.parent_path()) {
    if (at.has_filename()) missing.push_back(at.string());
    if (!at.has_parent_path() || at.parent_path() == at) break;
  }
  // One by one, so that what another process makes meanwhile is not taken for ours.
  for (auto folder = missing.rbegin(); folder != missing.rend(); ++folder) {
    const int result = while_alive(*folder, [&](std::set<std::string>&) {
      const int made = ::mkdir(folder->c_str(), 0777);
      if (made == 0) unfinished().folders.insert(*folder);
      return made;
    });
    if (result == 0) {
      made_.push_back(*folder);
    } else if (errno != EEXIST) {
      throw os_error(ErrorKind::kCannotCreate, path, "cannot create the folder", errno);
    }
  }
  if (!fs::is_directory(path, code))
    throw os_error(ErrorKind::kCannotCreate, path, "cannot create the folder", ENOTDIR);
}

void MadeFolders::keep() {
  Unfinished& u = unfinished();
  const std::lock_guard<std::mutex> lock(u.mutex);
  for (const std::string& folder : made_)
    u.folders.erase(folder);
  made_.clear();
}

MadeFolders::~MadeFolders() {
  Unfinished& u = unfinished();
  const std::lock_guard<std::mutex> lock(u.mutex);
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) {
    if (u.folders.erase(*folder) > 0) ::rmdir(folder->c_str());
  }
}

void check_replaceable(const std::string& folder, std::string_view kind,
                       const std::function<bool(const std::string& name)>& known) {
  namespace fs = std::filesystem;
  std::error_code code;
  if (!fs::exists(fs::symlink_status(folder, code))) return;
  if (!fs::is_directory(folder, code))
    throw Error(ErrorKind::kCannotCreate, cat(folder, ": exists and is not a folder"));
  std::string other;
  for (fs::directory_iterator at(folder, code); !code && at != fs::directory_iterator();
       at.increment(code)) {
    const std::string name = at->path().filename().string();
    if (known(name)) return;
    const bool temporary = name.starts_with('.') && name.find(".lm-") != std::string::npos;
    if (!temporary && (other.empty() || name < other)) other = name;
  }
  if (code) throw os_error(ErrorKind::kCannotCreate, folder, "cannot read", code.value());
  if (other.empty()) return;
  throw Error(ErrorKind::kCannotCreate,
              cat(folder, ": holds ", quote(other), " and no ", kind, "; nothing is written there"),
              cat("a new folder will do, an empty one, or that of a ", kind));
}

void write_file(const std::string& path, std::string_view bytes, const OutputOptions& options) {
  AtomicFile file(path, options);
  file.write(bytes);
  file.commit();
}

void discard_unfinished_outputs() {
  Unfinished& u = unfinished();
  const std::lock_guard<std::mutex> lock(u.mutex);
  u.dying = true;
  for (const std::string& path : u.paths)
    remove_path(path);
  u.paths.clear();
  // What lies below another comes behind it.
  for (auto folder = u.folders.rbegin(); folder != u.folders.rend(); ++folder)
    ::rmdir(folder->c_str());
  u.folders.clear();
}

}  // namespace lm::io
