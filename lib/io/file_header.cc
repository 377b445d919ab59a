#include "io/file_header.h"

#include <algorithm>

#include "core/hash.h"

namespace lm::io {

std::optional<StreamHeader> leading_header(RawBuffer& raw) {
  if (!raw.fill(8) || load_u32le(raw.view().data()) != kLmMagic) return std::nullopt;
  const i64 total = 8 + i64{load_u32le(raw.view().data() + 4)};
  if (total > kMaxTagPayload + 8 || !raw.fill(total)) return std::nullopt;
  const Result<StreamHeader> header = parse_header(raw.view().substr(8, usize(total - 8)));
  return header ? std::optional<StreamHeader>(*header) : std::nullopt;
}

namespace {

// The end frame that closes a regular file; behind it only a seek table may stand.
std::optional<StreamEnd> closing_end(int fd, i64 size, const std::string& path) {
  std::string footer(9, '\0');
  if (size < 16 || pread_full(fd, footer.data(), 9, size - 9, path) != 9) return std::nullopt;
  if (load_u32le(footer.data() + 5) == kSeekFooterMagic) {
    const i64 width = static_cast<u8>(footer[4]) & 0x80 ? 12 : 8;
    size -= 8 + i64{load_u32le(footer.data())} * width + 9;
    if (size < 16) return std::nullopt;
  }
  std::string tail(usize(std::min<i64>(size, kMaxTagPayload + 8)), '\0');
  tail.resize(usize(pread_full(fd, tail.data(), isize(tail), size - isize(tail), path)));
  std::string magic;
  append_u32le(magic, kLmMagic);
  for (std::size_t at = tail.rfind(magic); at != std::string::npos;
       at = at == 0 ? std::string::npos : tail.rfind(magic, at - 1)) {
    const std::size_t left = tail.size() - at;
    if (left < 12 || left != usize(i64{load_u32le(tail.data() + at + 4)} + 8)) continue;
    Result<StreamEnd> end = parse_end(std::string_view(tail).substr(at + 8));
    if (end) return std::move(*end);
  }
  return std::nullopt;
}

}  // namespace

std::optional<StreamHeader> file_header(const std::string& path) {
  Fd fd = open_input(path);
  if (!is_regular(fd.get())) {
    RawBuffer raw(std::move(fd), path);
    return leading_header(raw);
  }
  const i64 size = file_size(fd.get(), path);
  std::string head(usize(std::min<i64>(size, kMaxTagPayload + 8)), '\0');
  head.resize(usize(pread_full(fd.get(), head.data(), isize(head), 0, path)));
  if (head.size() < 8) return std::nullopt;
  if (load_u32le(head.data()) == kLmMagic) {
    const Result<StreamHeader> header =
        parse_header(std::string_view(head).substr(8, load_u32le(head.data() + 4)));
    return header ? std::optional<StreamHeader>(*header) : std::nullopt;
  }
  if (load_u32le(head.data()) != kZstdMagic) return std::nullopt;
  const std::optional<StreamEnd> end = closing_end(fd.get(), size, path);
  return end ? end->header : std::nullopt;
}

std::optional<StreamHeader> finished_header(const std::string& path) {
  const Fd fd = open_input(path);
  if (!is_regular(fd.get())) return std::nullopt;
  const std::optional<StreamEnd> end = closing_end(fd.get(), file_size(fd.get(), path), path);
  if (!end) return std::nullopt;
  return end->header ? end->header : file_header(path);
}

}  // namespace lm::io
