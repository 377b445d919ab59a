// A library to preload: makes one kind of system or library call fail, so that tests can walk
// through every place where it might. Calls are counted while main() runs; what goes to stderr
// never fails.
//
//   LM_FAULT=KIND:ERROR:N[+]   the N-th call of KIND fails with ERROR; with + all later ones too
//                              (for EINTR every second one)
//   LM_FAULT_FIRED=FILE        is created when a call was made to fail
//
// Programs that the program starts run undisturbed: their faults are not its own.
//
// KIND: read write fsync close rename mmap malloc thread. ERROR: EIO ENOSPC EPIPE EINTR EAGAIN
// ENOMEM, or "short": a read or write that moves only part of what was asked. EPIPE is for writes
// to standard output, the only ones that can meet it.

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

enum Kind { kRead, kWrite, kFsync, kClose, kRename, kMmap, kMalloc, kThread, kKinds };
constexpr const char* kNames[kKinds] = {"read",   "write", "fsync",  "close",
                                        "rename", "mmap",  "malloc", "thread"};
constexpr int kShort = -1;

struct Plan {
  int kind = kKinds;
  int error = EIO;
  long at = 0;
  bool onward = false;
  const char* fired = nullptr;
};

Plan plan;  // set before main() runs
std::atomic<bool> counting{false};
std::atomic<long> calls{0};

bool named(const char* text, const char* name, std::size_t size) {
  return std::strlen(name) == size && std::strncmp(text, name, size) == 0;
}

void read_plan() {
  const char* text = std::getenv("LM_FAULT");
  if (text == nullptr) return;
  const char* colon = std::strchr(text, ':');
  const char* second = colon == nullptr ? nullptr : std::strchr(colon + 1, ':');
  if (second == nullptr) std::_Exit(99);
  for (int kind = 0; kind < kKinds; ++kind) {
    if (named(text, kNames[kind], static_cast<std::size_t>(colon - text))) plan.kind = kind;
  }
  struct Error {
    const char* name;
    int code;
  };
  constexpr Error kErrors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
                               {"EAGAIN", EAGAIN}, {"ENOMEM", ENOMEM}, {"EPIPE", EPIPE},
                               {"short", kShort}};
  plan.error = 0;
  for (const Error& error : kErrors) {
    if (named(colon + 1, error.name, static_cast<std::size_t>(second - colon - 1)))
      plan.error = error.code;
  }
  char* end = nullptr;
  plan.at = std::strtol(second + 1, &end, 10);
  plan.onward = *end == '+';
  plan.fired = std::getenv("LM_FAULT_FIRED");
  if (plan.kind == kKinds || plan.error == 0 || plan.at < 1) std::_Exit(99);
  ::unsetenv("LM_FAULT");
  ::unsetenv("LD_PRELOAD");
}

bool fires(Kind kind) {
  if (plan.kind != kind || !counting.load(std::memory_order_relaxed)) return false;
  const long call = calls.fetch_add(1) + 1;
  // Interruptions alternate with progress: a call that is interrupted for ever may be retried for
  // ever.
  const bool later =
      plan.onward && call > plan.at && (plan.error != EINTR || (call - plan.at) % 2 == 0);
  if (call != plan.at && !later) return false;
  if (plan.fired != nullptr) {
    const long fd = ::syscall(SYS_openat, AT_FDCWD, plan.fired, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0) ::syscall(SYS_close, fd);
  }
  errno = plan.error == kShort ? 0 : plan.error;
  return true;
}

template <typename Function>
Function* real(const char* name) {
  void* found = ::dlsym(RTLD_NEXT, name);
  Function* function = nullptr;
  std::memcpy(&function, &found, sizeof function);
  return function;
}

// A shortened length for a short transfer; 0 when the call is to fail outright.
std::size_t part(std::size_t size) {
  return plan.error == kShort ? (size + 1) / 2 : 0;
}

using Main = int(int, char**, char**);
Main* real_main = nullptr;

int counted_main(int argc, char** argv, char** envp) {
  counting.store(true);
  const int status = real_main(argc, argv, envp);
  counting.store(false);
  return status;
}

}  // namespace

extern "C" {

int __libc_start_main(Main* main, int argc, char** argv, void (*init)(), void (*fini)(),
                      void (*ld_fini)(), void* stack_end) {
  read_plan();
  real_main = main;
  using Start = int(Main*, int, char**, void (*)(), void (*)(), void (*)(), void*);
  return real<Start>("__libc_start_main")(counted_main, argc, argv, init, fini, ld_fini, stack_end);
}

ssize_t read(int fd, void* buf, std::size_t size) {
  if (fires(kRead)) {
    size = part(size);
    if (size == 0) return -1;
  }
  return ::syscall(SYS_read, fd, buf, size);
}

ssize_t pread(int fd, void* buf, std::size_t size, off_t offset) {
  if (fires(kRead)) {
    size = part(size);
    if (size == 0) return -1;
  }
  return ::syscall(SYS_pread64, fd, buf, size, offset);
}

ssize_t pread64(int fd, void* buf, std::size_t size, off_t offset) {
  return pread(fd, buf, size, offset);
}

ssize_t write(int fd, const void* buf, std::size_t size) {
  const bool meets_it = plan.error == EPIPE ? fd == STDOUT_FILENO : fd != STDERR_FILENO;
  if (meets_it && fires(kWrite)) {
    size = part(size);
    if (size == 0) return -1;
  }
  return ::syscall(SYS_write, fd, buf, size);
}

ssize_t pwrite(int fd, const void* buf, std::size_t size, off_t offset) {
  if (plan.error != EPIPE && fires(kWrite)) {
    size = part(size);
    if (size == 0) return -1;
  }
  return ::syscall(SYS_pwrite64, fd, buf, size, offset);
}

ssize_t pwrite64(int fd, const void* buf, std::size_t size, off_t offset) {
  return pwrite(fd, buf, size, offset);
}

int fsync(int fd) {
  return fires(kFsync) ? -1 : static_cast<int>(::syscall(SYS_fsync, fd));
}

// As Linux does: the descriptor is gone even when close fails.
int close(int fd) {
  const bool fail = fires(kClose);
  const int error = errno;
  const int status = static_cast<int>(::syscall(SYS_close, fd));
  if (!fail) return status;
  errno = error;
  return -1;
}

int rename(const char* from, const char* to) noexcept {
  return fires(kRename) ? -1
                        : static_cast<int>(::syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}

int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) noexcept {
  return fires(kRename)
             ? -1
             : static_cast<int>(::syscall(SYS_renameat2, from_dir, from, to_dir, to, flags));
}

void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  if (fires(kMmap)) return MAP_FAILED;
  const long address = ::syscall(SYS_mmap, at, size, protection, flags, fd, offset);
  void* mapped = MAP_FAILED;
  if (address != -1) std::memcpy(&mapped, &address, sizeof mapped);
  return mapped;
}

void* mmap64(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  return mmap(at, size, protection, flags, fd, offset);
}

void* malloc(std::size_t size) noexcept {
  return fires(kMalloc) ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) noexcept {
  return fires(kMalloc) ? nullptr : __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  return fires(kMalloc) ? nullptr : __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t align, std::size_t size) noexcept {
  return fires(kMalloc) ? nullptr : __libc_memalign(align, size);
}
int posix_memalign(void** out, std::size_t align, std::size_t size) noexcept {
  if (fires(kMalloc)) return ENOMEM;
  *out = __libc_memalign(align, size);
  return *out == nullptr ? ENOMEM : 0;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  if (fires(kThread)) return plan.error;
  using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static Create* const create = real<Create>("pthread_create");
  return create(thread, attributes, run, argument);
}

}  // extern "C"
