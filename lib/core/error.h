#pragma once
// What ends a run. Library code throws Error; only tool_main catches it and turns the kind into an
// exit status (specs: the sysexits numbers). Expected per-record failures use Result (result.h).

#include <exception>
#include <string>
#include <string_view>

namespace lm {

/// A place in our source. As a default argument, current() is the place of the call. Stands for
/// std::source_location, which clang 14 cannot use with libstdc++ 12.
struct SourceLocation {
  const char* file = "";
  int line = 0;

  static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                          int line = __builtin_LINE()) {
    return {file, line};
  }
};

/// The enumerator's value is the exit status of a program that ends with such an error.
enum class ErrorKind {
  kUsage = 64,         // the command line cannot mean anything
  kData = 65,          // the input's content is wrong
  kNoInput = 66,       // an input cannot be opened
  kUnavailable = 69,   // a device or feature is absent
  kInternal = 70,      // a broken invariant of ours
  kOs = 71,            // out of memory, threads, descriptors
  kCannotCreate = 73,  // an output cannot be created
  kIo = 74,            // a read or write failed (disk full included)
  kTemporary = 75,     // stopped on request, state saved
  kPermission = 77,
  kConfig = 78,  // a configuration file is wrong
};

/// One line, lower case, no full stop; names the user's file and line first. The hint, when not
/// empty, is printed as a second line. where is the place in our source, shown with -vv.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {},
        SourceLocation where = SourceLocation::current())
      : kind_(kind), message_(std::move(message)), hint_(std::move(hint)), where_(where) {}
  const char* what() const noexcept override { return message_.c_str(); }
  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const SourceLocation& where() const { return where_; }
  /// A copy whose message starts with "prefix: ". For boundaries that know more (file, shard,
  /// layer).
  Error with_prefix(std::string_view prefix) const;

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  SourceLocation where_;
};

/// Error from a failed system call: "name: what: strerror(code)". The kind follows the code
/// (ENOENT with kNoInput stays; EACCES and EPERM become kPermission; ENOMEM, EMFILE, ENFILE kOs).
Error os_error(ErrorKind kind, std::string_view name, std::string_view what, int code,
               SourceLocation where = SourceLocation::current());

/// "lib/io/file.cc:40", whatever folder the program was built in.
std::string source_place(const SourceLocation& where);

[[noreturn]] void check_failed(std::string_view condition, std::string_view what,
                               SourceLocation where);

}  // namespace lm

/// Invariant of this program, checked in release builds too. Throws Error{kInternal} with
/// file:line.
#define LM_CHECK(condition, what)                                              \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      ::lm::check_failed(#condition, (what), ::lm::SourceLocation::current()); \
  } while (false)

/// The same for hot loops: compiled only when NDEBUG is not defined.
#ifdef NDEBUG
#define LM_DCHECK(condition, what) ((void)0)
#else
#define LM_DCHECK(condition, what) LM_CHECK(condition, what)
#endif
