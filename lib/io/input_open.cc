// Opening an input: what its first bytes say it is, and what to do with what cannot be read.

#include <algorithm>
#include <array>

#include <sys/stat.h>
#include <unistd.h>

#include "io/input_state.h"

namespace lm::io {

namespace {

struct Foreign {
  std::string_view magic;
  const char* name;
  const char* command;
};
constexpr std::array<Foreign, 3> kForeign = {{
    {"\xfd"
     "7zXZ",
     "xz", "xzcat"},
    {"BZh", "bzip2", "bzcat"},
    {"PAR1", "Parquet", nullptr},
}};

/// A name as a shell takes it, and as no option; with control characters as bash takes it.
std::string shell_word(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+,:@%=").find(c) != std::string_view::npos;
  };
  const auto control = [](char c) { return static_cast<u8>(c) < 0x20 || c == 0x7F; };
  const std::string safe = name.starts_with('-') ? "./" + name : name;
  if (std::all_of(safe.begin(), safe.end(), plain)) return safe;
  const bool escapes = std::any_of(safe.begin(), safe.end(), control);
  std::string out = escapes ? "$'" : "'";
  for (const char c : safe) {
    const u8 byte = static_cast<u8>(c);
    if (control(c)) {
      append(out, "\\x", hex(std::span<const u8>(&byte, 1)));
    } else if (escapes && (c == '\'' || c == '\\')) {
      append(out, "\\", std::string(1, c));
    } else {
      out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
  }
  return out + "'";
}

bool is_pipe_like(const std::string& file) {
  struct stat st {};
  return (file == "-" ? ::fstat(STDIN_FILENO, &st) : ::stat(file.c_str(), &st)) == 0 &&
         (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

}  // namespace

bool InputStream::Source::inflate_some(std::string& out) {
  if (broken) return false;
  if (!raw.fill(1)) {
    if (gzip->in_member()) {
      broken = Error(ErrorKind::kData,
                     cat(raw.name(), ": ended inside a gzip member at byte ", raw.offset(),
                         " (the file is cut or the program before this one failed)"));
    }
    return false;
  }
  const char* problem = nullptr;
  raw.consume(gzip->decode(raw.view(), out, problem));
  if (problem != nullptr) {
    broken = Error(ErrorKind::kData,
                   cat(raw.name(), ": corrupt gzip near byte ", raw.offset(), ": ", problem));
  }
  return problem == nullptr;
}

// An error goes behind the lines that came before it.
bool InputStream::Source::convert_some() {
  if (broken) return false;
  std::string text;
  bool more = false;
  try {
    more = converter->next(text);
  } catch (const Error& error) {
    broken = error;
  }
  cutter.append(text);
  return more && !broken;
}

bool InputStream::Source::pull() {
  if (converter) return convert_some();
  if (gzip) {
    std::string text;
    const bool more = inflate_some(text);
    cutter.append(text);
    return more;
  }
  if (!raw.fill(1)) return false;
  cutter.append(raw.view());
  raw.consume(raw.available());
  return true;
}

std::unique_ptr<InputStream::Source> InputStream::open_source(i64 index) const {
  const std::string& file = options_.files[usize(index)];
  if (options_.convert) {
    if (std::unique_ptr<Converter> converter = options_.convert(file)) {
      auto s = std::make_unique<Source>(index, Fd(), input_display_name(file),
                                        options_.max_record_bytes, ctx_.stop);
      s->converter = std::move(converter);
      return s;
    }
  }
  Fd fd = file == "-" ? Fd(::dup(STDIN_FILENO)) : open_input(file);
  if (!fd.valid()) throw os_error(ErrorKind::kNoInput, "<stdin>", "cannot read", errno);
  enlarge_pipe(fd.get());
  return std::make_unique<Source>(index, std::move(fd), input_display_name(file),
                                  options_.max_record_bytes, ctx_.stop);
}

void InputStream::open_next() {
  const i64 index = next_input_++;
  const std::string& file = options_.files[usize(index)];
  const auto early = opened_.find(index);
  source_ = early != opened_.end() ? std::move(early->second) : open_source(index);
  Source& s = *source_;
  if (s.converter) return open_whole("converted");
  if (!s.raw.fill(1)) return check_empty();
  s.raw.fill(8);
  const std::string_view head = s.raw.view();
  for (const Foreign& f : kForeign) {
    if (head.starts_with(f.magic)) {
      s.fail(cat("is ", f.name, ", expected JSON lines, plain, gzip or zstd"),
             f.command != nullptr
                 ? cat(f.command, file == "-" ? "" : " ", file == "-" ? "" : shell_word(file),
                       " | lm-cat - -o FILE.jsonl.zst converts it")
                 : cat("lm-cat --from parquet ", file == "-" ? "FILE" : shell_word(file),
                       " -o FILE.jsonl.zst converts it"));
    }
  }
  const u32 magic = head.size() >= 4 ? load_u32le(head.data()) : 0;
  s.framed = magic == kZstdMagic || (magic & 0xFFFFFFF0u) == kSkippableBase;
  if (s.framed) {
    summaries_[usize(index)].unpack = "zstdcat";
  } else if (head.starts_with(kGzipMagic)) {
    summaries_[usize(index)].unpack = "zcat";
    open_gzip();
  } else {
    check_first(head);
  }
}

void InputStream::check_empty() const {
  const Source& s = *source_;
  if (!options_.allow_empty && is_pipe_like(options_.files[usize(s.input)])) {
    s.fail("no bytes (the program before this one failed, or a filter matched nothing)",
           "--allow-empty accepts an empty input");
  }
}

// An input that cannot be divided: form is "gzip" or "converted".
void InputStream::open_whole(std::string_view form) {
  Source& s = *source_;
  s.whole_unit = next_unit_++;
  ctx_.log->message(LogLevel::kInfo, cat(s.raw.name(), ": ", form,
                                         s.converter ? ", read" : ", decoded", " by one thread"));
  if (options_.shard.count > 1 && !options_.shard.by_file) {
    ctx_.log->message(LogLevel::kWarning, cat(s.raw.name(), ": a ", form,
                                              " file is one shard unit; "
                                              "lm-cat --seekable makes it divisible"));
  }
}

void InputStream::open_gzip() {
  Source& s = *source_;
  s.gzip = std::make_unique<GzipDecoder>();
  open_whole("gzip");
  std::string head;
  while (isize(head) < 8 && s.inflate_some(head)) {
  }
  check_first(head);
  s.cutter.append(head);
}

// Fails if no JSON lines begin so. A cut of the first four bytes of a frame is no text either.
void InputStream::check_first(std::string_view text) const {
  const Source& s = *source_;
  std::string_view rest = text;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  if (rest.empty() || std::string_view("{ \t\r\n").find(rest[0]) != std::string_view::npos) return;
  s.fail(
      cat("starts with ", quote(text.substr(0, 8)), ", expected JSON lines, plain, gzip or zstd"),
      rest.starts_with("WARC/") ? std::string("lm-cat --from warc makes records of it")
                                : conversion(s.input, rest));
}

std::string InputStream::conversion(i64 input, std::string_view first_line) const {
  const InputSummary& summary = summaries_[usize(input)];
  const std::string_view line = trim(first_line);
  if (line.empty()) return {};
  const bool array = line.front() == '[';
  const bool open =
      line.front() == '{' && std::string_view("{[,").find(line.back()) != std::string_view::npos;
  if (!array && !open) return {};
  const std::string& path = options_.files[usize(input)];
  const std::string file = path == "-" ? "" : shell_word(path);
  const std::string jq = array ? "jq -c '.[]'" : "jq -c .";
  std::string command = jq;
  if (summary.unpack != nullptr) {
    command = cat(summary.unpack, file.empty() ? "" : " ", file, " | ", jq);
  } else if (!file.empty()) {
    command = cat(jq, " ", file);
  }
  return cat(command, array ? " makes JSON lines of an array" : " puts every record on one line");
}

}  // namespace lm::io
