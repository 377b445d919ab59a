#include "core/error.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/str.h"

namespace lm {

Error Error::with_prefix(std::string_view prefix) const {
  return Error(kind_, cat(prefix, ": ", message_), hint_, where_);
}

Error os_error(ErrorKind kind, std::string_view name, std::string_view what, int code,
               SourceLocation where) {
  if (code == EACCES || code == EPERM || code == EROFS) {
    kind = ErrorKind::kPermission;
  } else if (code == ENOMEM || code == EMFILE || code == ENFILE || code == EAGAIN) {
    kind = ErrorKind::kOs;
  }
  std::string hint;
  if (code == ENOSPC || code == EDQUOT) hint = "the disk is full: free space or name another place";
  return Error(kind, cat(name, ": ", what, ": ", std::generic_category().message(code)), hint,
               where);
}

std::string source_place(const SourceLocation& where) {
  std::string_view file = where.file;
  for (const std::string_view room : {"/lib/", "/tools/", "/tests/", "/kernels/"}) {
    const std::size_t at = file.rfind(room);
    if (at == std::string_view::npos) continue;
    file.remove_prefix(at + 1);
    break;
  }
  return cat(file, ":", where.line);
}

void check_failed(std::string_view condition, std::string_view what, SourceLocation where) {
  throw Error(ErrorKind::kInternal,
              cat(source_place(where), ": internal error: ", what, " (", condition, ")"), {},
              where);
}

}  // namespace lm
