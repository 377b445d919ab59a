#include "text/shard_files.h"

#include <cmath>
#include <filesystem>

#include <zlib.h>

#include "core/error.h"
#include "core/str.h"

namespace lm::text {

namespace {

constexpr i64 kFlushBytes = i64{1} << 18;

// An AtomicFile behind a small buffer.
class BufferedFile {
 public:
  BufferedFile(const std::string& path, const io::OutputOptions& output) : file_(path, output) {}
  std::string& buf() { return buf_; }
  void flush_if_full() {
    if (isize(buf_) >= kFlushBytes) flush();
  }
  void flush() {
    file_.write(buf_);
    buf_.clear();
  }
  void finish() {
    flush();
    file_.finish();
  }
  io::AtomicFile& file() { return file_; }

 private:
  io::AtomicFile file_;
  std::string buf_;
};

class LmIndex final : public DocumentMarks {
 public:
  LmIndex(const std::string& path, bool wide, u32 flags, const io::OutputOptions& output)
      : out_(path, output), wide_(wide), flags_(flags) {
    out_.buf().assign(usize(kLmIndexHeader), '\0');  // counts are known at the end
  }
  void add(i64, i64 end, const DocumentOrigin&) override {
    append_le(out_.buf(), static_cast<u64>(end), 8);
    out_.flush_if_full();
  }
  void finish(i64 documents, i64 tokens) override {
    out_.flush();
    std::string header(kLmIndexMagic);
    append_le(header, wide_ ? 4 : 2, 4);
    append_le(header, flags_, 4);
    append_le(header, static_cast<u64>(documents), 8);
    append_le(header, static_cast<u64>(tokens), 8);
    out_.file().write_at(header, 0);
    out_.finish();
  }
  void commit() override { out_.file().commit(); }

 private:
  BufferedFile out_;
  bool wide_;
  u32 flags_;
};

// Lengths, offsets and document numbers follow each other in the file, so the ends wait in a spill
// file (memory stays bounded for shards of tiny documents).
class MegatronIndex final : public DocumentMarks {
 public:
  MegatronIndex(const std::string& path, bool wide, const io::OutputOptions& output)
      : out_(path, output), wide_(wide), ends_(spill_folder(path)) {}
  void add(i64 begin, i64 end, const DocumentOrigin&) override {
    if (end - begin > INT32_MAX) {
      throw Error(ErrorKind::kData, cat(out_.file().path(), ": a document of ", end - begin,
                                        " tokens, the megatron format holds at most ", INT32_MAX));
    }
    append_le(pending_, static_cast<u64>(end), 8);
    if (isize(pending_) >= kFlushBytes) spill();
  }
  void finish(i64 documents, i64) override {
    spill();
    std::string& buf = out_.buf();
    buf.assign(kMegatronMagic);
    append_le(buf, 1, 8);
    append_le(buf, wide_ ? kMegatronI32 : kMegatronU16, 1);
    append_le(buf, static_cast<u64>(documents), 8);
    append_le(buf, static_cast<u64>(documents + 1), 8);
    for_each([&](i64 begin, i64 end) { append_le(buf, static_cast<u64>(end - begin), 4); });
    for_each([&](i64 begin, i64) { append_le(buf, static_cast<u64>(begin * (wide_ ? 4 : 2)), 8); });
    for (i64 d = 0; d <= documents; ++d) {
      append_le(buf, static_cast<u64>(d), 8);
      out_.flush_if_full();
    }
    out_.finish();
  }
  void commit() override { out_.file().commit(); }

 private:
  static std::string spill_folder(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
  }
  void spill() {
    ends_.append(pending_.data(), isize(pending_));
    pending_.clear();
  }
  template <typename Visit>
  void for_each(const Visit& visit) {
    io::TempReader reader(ends_, 0, ends_.size());
    i64 begin = 0;
    for (u8 raw[8]; reader.read(raw, 8); out_.flush_if_full()) {
      const i64 end = static_cast<i64>(load_le(raw, 8));
      visit(begin, end);
      begin = end;
    }
  }

  BufferedFile out_;
  bool wide_;
  io::TempFile ends_;
  std::string pending_;
};

// gzip member without name or time, so that equal input gives equal bytes.
class DolmaTable final : public DocumentMarks {
 public:
  DolmaTable(const std::string& path, const io::OutputOptions& output) : out_(path, output) {
    const int code = deflateInit2(&zlib_, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    if (code != Z_OK)
      throw Error(ErrorKind::kOs, cat("cannot start gzip compression: code ", code));
  }
  ~DolmaTable() override { deflateEnd(&zlib_); }
  DolmaTable(const DolmaTable&) = delete;
  DolmaTable& operator=(const DolmaTable&) = delete;

  void add(i64 begin, i64 end, const DocumentOrigin& origin) override {
    append(rows_, begin, ',', end, ',');
    append_csv(origin.id);
    rows_.push_back(',');
    append_csv(origin.src);
    append(rows_, ',', origin.loc, '\n');
    if (isize(rows_) >= kFlushBytes) compress(Z_NO_FLUSH);
  }
  void finish(i64, i64) override {
    compress(Z_FINISH);
    out_.finish();
  }
  void commit() override { out_.file().commit(); }

 private:
  void append_csv(std::string_view cell) {
    if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
      rows_.append(cell);
      return;
    }
    rows_.push_back('"');
    for (const char c : cell) {
      if (c == '"') rows_.push_back('"');
      rows_.push_back(c);
    }
    rows_.push_back('"');
  }
  void compress(int flush) {
    zlib_.next_in = reinterpret_cast<Bytef*>(rows_.data());
    zlib_.avail_in = static_cast<uInt>(rows_.size());
    std::string& buf = out_.buf();
    for (bool more = true; more;) {
      const std::size_t before = buf.size();
      buf.resize(before + usize(kFlushBytes));
      zlib_.next_out = reinterpret_cast<Bytef*>(buf.data() + before);
      zlib_.avail_out = static_cast<uInt>(kFlushBytes);
      const int code = deflate(&zlib_, flush);
      LM_CHECK(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, "deflate keeps going");
      more = zlib_.avail_out == 0;
      buf.resize(buf.size() - zlib_.avail_out);
      out_.flush_if_full();
    }
    rows_.clear();
  }

  BufferedFile out_;
  z_stream zlib_{};
  std::string rows_;
};

// "1.50 kT": three significant digits and a metric prefix.
std::string humanised_tokens(i64 tokens) {
  f64 value = static_cast<f64>(tokens);
  const int exponent = tokens > 0 ? static_cast<int>(std::floor(std::log10(value))) : 0;
  for (int i = 0; i < exponent / 3; ++i)
    value /= 1000;
  const std::string_view prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  return cat(format_fixed(value, 2 - exponent % 3), " ", prefixes[exponent / 3], "T");
}

class DatatroveIndex final : public DocumentMarks {
 public:
  DatatroveIndex(const std::string& base, bool wide, std::string tokenizer,
                 const io::OutputOptions& output)
      : index_(base + ".ds.index", output),
        metadata_(base + ".ds.metadata", output),
        tokenizer_(std::move(tokenizer)),
        wide_(wide) {}
  void add(i64, i64 end, const DocumentOrigin&) override {
    append_le(index_.buf(), static_cast<u64>(end), 8);
    index_.flush_if_full();
  }
  void finish(i64, i64 tokens) override {
    index_.finish();
    metadata_.write(
        cat(tokenizer_, "|", wide_ ? 4 : 2, "\n", tokens, "\n", humanised_tokens(tokens)));
    metadata_.finish();
  }
  void commit() override {
    index_.file().commit();
    metadata_.commit();
  }

 private:
  BufferedFile index_;
  io::AtomicFile metadata_;
  std::string tokenizer_;
  bool wide_;
};

}  // namespace

std::string_view token_suffix(ShardLayout layout) {
  switch (layout) {
    case ShardLayout::kLm:
    case ShardLayout::kMegatron:
      return ".bin";
    case ShardLayout::kDolma:
    case ShardLayout::kNpy:
      return ".npy";
    case ShardLayout::kDatatrove:
      return ".ds";
  }
  LM_CHECK(false, "a shard layout is one of five");
}

std::string_view marks_suffix(ShardLayout layout) {
  if (layout == ShardLayout::kDolma) return ".csv.gz";
  return layout == ShardLayout::kDatatrove ? ".ds.index" : ".idx";
}

i64 token_offset(ShardLayout layout) {
  return layout == ShardLayout::kNpy ? kNpyHeader : 0;
}

std::string shard_number(i64 number) {
  const std::string digits = cat(number);
  return digits.size() < 5 ? std::string(5 - digits.size(), '0') + digits : digits;
}

std::string npy_header(bool wide, i64 tokens) {
  std::string header("\x93NUMPY\x01\x00", 8);
  append_le(header, static_cast<u64>(kNpyHeader - 10), 2);
  append(header, "{'descr': '", wide ? "<u4" : "<u2", "', 'fortran_order': False, 'shape': (",
         tokens, ",), }");
  header.resize(usize(kNpyHeader - 1), ' ');
  header.push_back('\n');
  return header;
}

void append_le(std::string& out, u64 value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(value >> (8 * i)));
}

namespace {

/// Fixed strides that compilers make into wide stores.
template <std::size_t kBytes>
void store_tokens(u8* to, std::span<const i32> ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const u32 id = static_cast<u32>(ids[i]);
    for (std::size_t b = 0; b < kBytes; ++b)
      to[kBytes * i + b] = static_cast<u8>(id >> (8 * b));
  }
}

}  // namespace

void append_tokens(std::string& out, std::span<const i32> ids, bool wide) {
  const std::size_t before = out.size();
  out.resize(before + ids.size() * (wide ? 4 : 2));
  u8* to = reinterpret_cast<u8*>(out.data() + before);
  wide ? store_tokens<4>(to, ids) : store_tokens<2>(to, ids);
}

std::unique_ptr<DocumentMarks> make_document_marks(ShardLayout layout, const std::string& base,
                                                   bool wide, u32 flags,
                                                   const TokenizerIdentity& tokenizer,
                                                   const io::OutputOptions& output) {
  const std::string path = base + std::string(marks_suffix(layout));
  switch (layout) {
    case ShardLayout::kLm:
    case ShardLayout::kNpy:
      return std::make_unique<LmIndex>(path, wide, flags, output);
    case ShardLayout::kMegatron:
      return std::make_unique<MegatronIndex>(path, wide, output);
    case ShardLayout::kDolma:
      return std::make_unique<DolmaTable>(path, output);
    case ShardLayout::kDatatrove:
      return std::make_unique<DatatroveIndex>(base, wide, tokenizer.name, output);
  }
  LM_CHECK(false, "a shard layout is one of five");
}

}  // namespace lm::text
