#pragma once
// Inputs that arrive in pieces of a given size, and everything a converter makes of them.

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>

#include "core/error.h"
#include "core/str.h"
#include "io/convert.h"

namespace lm::test {

/// A source whose every read gives `size` bytes: packets keep their borders. Outlives the source.
class Pieces {
 public:
  Pieces(std::string text, std::size_t size) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
      throw Error(ErrorKind::kOs, "no socket pair");
    source_ = std::make_unique<io::ByteSource>(io::Fd(ends[0]), "in", nullptr);
    writer_ = std::jthread([text = std::move(text), size, fd = io::Fd(ends[1])] {
      for (std::size_t at = 0; at < text.size(); at += size) {
        const std::size_t n = std::min(size, text.size() - at);
        if (::send(fd.get(), text.data() + at, n, MSG_NOSIGNAL) < 0) return;  // not read to its end
      }
    });
  }
  std::unique_ptr<io::ByteSource> source() { return std::move(source_); }

 private:
  std::unique_ptr<io::ByteSource> source_;
  std::jthread writer_;
};

struct Converted {
  std::string lines;
  std::string error;  // "" when it came to its end
};

using Make = std::function<std::unique_ptr<io::Converter>(std::unique_ptr<io::ByteSource>)>;

inline Converted convert_pieces(const std::string& text, std::size_t size, const Make& make) {
  Pieces pieces(text, size);
  const std::unique_ptr<io::Converter> converter = make(pieces.source());
  Converted out;
  try {
    while (converter->next(out.lines)) {
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    out.error = error.message();
  }
  return out;
}

inline Converted convert_all(const std::string& text, const Make& make) {
  return convert_pieces(text, 1 << 16, make);
}

}  // namespace lm::test
