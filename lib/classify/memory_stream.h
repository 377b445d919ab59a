#pragma once
// Streams for a library that reads and writes nothing else: of bytes in memory, and into a
// function.

#include <functional>
#include <istream>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace lm::classify {

class MemoryBuffer : public std::streambuf {
 public:
  explicit MemoryBuffer(std::string_view bytes) {
    char* const begin = const_cast<char*>(bytes.data());  // a get area is never written to
    setg(begin, begin, begin + bytes.size());
  }
};

/// Gives what is written to a function in pieces of about 1 MiB; the rest when flushed. In a stream
/// whose exceptions(badbit) is set, what the function throws comes through.
class WriteBuffer : public std::streambuf {
 public:
  explicit WriteBuffer(const std::function<void(std::string_view)>& write) : write_(write) {}

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    held_.append(bytes, static_cast<std::size_t>(count));
    if (held_.size() >= kPiece) sync();
    return count;
  }
  int_type overflow(int_type c) override {
    if (!traits_type::eq_int_type(c, traits_type::eof())) held_ += traits_type::to_char_type(c);
    return traits_type::not_eof(c);
  }
  int sync() override {
    write_(held_);
    held_.clear();
    return 0;
  }

 private:
  static constexpr std::size_t kPiece = 1 << 20;
  const std::function<void(std::string_view)>& write_;
  std::string held_;
};

}  // namespace lm::classify
