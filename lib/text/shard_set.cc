#include "text/shard_set.h"

#include <algorithm>
#include <filesystem>

#include <zlib.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/json_node.h"
#include "text/shard_files.h"

namespace lm::text {

namespace {

using io::JsonNode;

constexpr i64 kMaxManifestBytes = i64{1} << 30;
constexpr i64 kMaxShardCount = i64{1} << 50;  // tokens or documents
constexpr i64 kMaxCount = i64{1} << 60;
constexpr const char* kFormat = "lm-token-shards";

[[noreturn]] void bad(const std::string& file, const std::string& what) {
  throw Error(ErrorKind::kData, cat(file, ": ", what));
}

/// The id that a key has, or null: no such token.
std::optional<i32> token_id(const JsonNode& json, const char* key) {
  if (json.at(key).is_null()) return std::nullopt;
  return static_cast<i32>(json.integer(key, 0, INT32_MAX));
}

/// A file beside the manifest, which cannot point out of its own folder.
std::string beside(const std::filesystem::path& folder, const JsonNode& shard, const char* key) {
  const std::string name = shard.text(key);
  if (!io::is_plain_file_name(name)) shard.fail(key, "a plain file name");
  return (folder / name).string();
}

std::string gunzip(const std::string& path, i64 max_bytes) {
  const io::Mapping packed(path);
  z_stream zlib{};
  if (inflateInit2(&zlib, 15 + 16) != Z_OK)
    throw Error(ErrorKind::kOs, "cannot start gzip decompression");
  std::string out;
  zlib.next_in = const_cast<Bytef*>(packed.data());
  i64 left = packed.size();
  int code = Z_OK;
  while (code == Z_OK) {
    zlib.avail_in = static_cast<uInt>(std::min<i64>(left, i64{1} << 30));
    const i64 given = zlib.avail_in;
    const std::size_t before = out.size();
    out.resize(before + (std::size_t{1} << 18));
    zlib.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    zlib.avail_out = 1u << 18;
    code = inflate(&zlib, Z_NO_FLUSH);
    left -= given - zlib.avail_in;
    out.resize(out.size() - zlib.avail_out);
    if (isize(out) > max_bytes) break;
  }
  inflateEnd(&zlib);
  if (code != Z_STREAM_END || left != 0) {
    bad(path, cat("broken gzip data after ", out.size(), " bytes of content"));
  }
  return out;
}

// End offsets from dolma rows "start,end,id,src,loc"; quoted cells may hold commas and line breaks.
std::vector<i64> read_dolma_ends(const std::string& path, i64 documents) {
  const std::string rows = gunzip(path, i64{1} << 36);
  std::vector<i64> ends;
  i64 row_begin = 0;
  bool quoted = false;
  for (i64 i = 0; i < isize(rows); ++i) {
    const char c = rows[usize(i)];
    if (c == '"') quoted = !quoted;
    if (c != '\n' || quoted) continue;
    const std::string_view row =
        std::string_view(rows).substr(usize(row_begin), usize(i - row_begin));
    row_begin = i + 1;
    const std::size_t first = row.find(',');
    const std::size_t second = first == std::string_view::npos ? first : row.find(',', first + 1);
    std::optional<i64> begin, end;
    if (second != std::string_view::npos) {
      begin = parse_int(row.substr(0, first));
      end = parse_int(row.substr(first + 1, second - first - 1));
    }
    const i64 expected = ends.empty() ? 0 : ends.back();
    if (!begin || !end || *begin != expected || *end < *begin) {
      bad(path, cat("row ", ends.size() + 1, " is ", quote(row), ", expected it to start at token ",
                    expected));
    }
    ends.push_back(*end);
  }
  if (row_begin != isize(rows) || isize(ends) != documents) {
    bad(path, cat(ends.size(), " rows, expected ", documents));
  }
  return ends;
}

/// Whether a JSON file says that it is a manifest. One that cannot be read is none.
bool is_manifest(const std::string& path) {
  try {
    const io::JsonDocument document(io::read_file(path, kMaxManifestBytes));
    return document.root(path).text("format") == kFormat;
  } catch (const std::exception&) {  // unreadable, or a format that is no text
    return false;
  }
}

}  // namespace

struct ShardSet::Shard {
  std::string file, index;  // paths
  i64 tokens = 0, documents = 0, bytes = 0;
  i64 first_token = 0, first_document = 0;
  std::string xxh64;
  io::Mapping data, marks;
  std::vector<i64> ends;  // dolma only
  ShardLayout layout = ShardLayout::kLm;
  bool wide = false;

  i64 width() const { return wide ? 4 : 2; }
  const u8* token_data() const { return data.data() + token_offset(layout); }

  void expect_size(const io::Mapping& map, const std::string& name, i64 expected) const {
    if (map.size() != expected) bad(name, cat(map.size(), " bytes, expected ", expected));
  }

  void open() {
    data = io::Mapping(file);
    expect_size(data, file, token_offset(layout) + tokens * width());
    if (layout == ShardLayout::kNpy && !data.bytes().starts_with(npy_header(wide, tokens))) {
      bad(file,
          cat("NumPy header differs from one of ", tokens, wide ? " <u4" : " <u2", " values"));
    }
    switch (layout) {
      case ShardLayout::kLm:
      case ShardLayout::kNpy:
        open_lm_index();
        break;
      case ShardLayout::kMegatron:
        open_megatron_index();
        break;
      case ShardLayout::kDolma:
        ends = read_dolma_ends(index, documents);
        break;
      case ShardLayout::kDatatrove:
        marks = io::Mapping(index);
        expect_size(marks, index, 8 * documents);
        break;
    }
    const i64 last = documents == 0 ? 0 : end(documents - 1);
    if (last != tokens)
      bad(index, cat("the last document ends at token ", last, ", expected ", tokens));
  }

  void open_lm_index() {
    marks = io::Mapping(index);
    expect_size(marks, index, kLmIndexHeader + 8 * documents);
    if (!marks.bytes().starts_with(kLmIndexMagic)) bad(index, "does not start with LMTIDX1");
    const u64 seen[3] = {load_le(marks.data() + 8, 4), load_le(marks.data() + 16, 8),
                         load_le(marks.data() + 24, 8)};
    if (seen[0] != static_cast<u64>(width()) || seen[1] != static_cast<u64>(documents) ||
        seen[2] != static_cast<u64>(tokens)) {
      bad(index, cat("header says width ", seen[0], ", ", seen[1], " documents, ", seen[2],
                     " tokens; the manifest says ", width(), ", ", documents, ", ", tokens));
    }
  }

  void open_megatron_index() {
    marks = io::Mapping(index);
    expect_size(marks, index, kMegatronHeader + 20 * documents + 8);
    if (!marks.bytes().starts_with(kMegatronMagic)) bad(index, "does not start with MMIDIDX");
    const u64 version = load_le(marks.data() + 9, 8);
    const u64 dtype = load_le(marks.data() + 17, 1);
    if (version != 1 || dtype != (wide ? kMegatronI32 : kMegatronU16) ||
        load_le(marks.data() + 18, 8) != static_cast<u64>(documents) ||
        load_le(marks.data() + 26, 8) != static_cast<u64>(documents + 1)) {
      bad(index,
          cat("header (version ", version, ", dtype ", dtype, ") differs from the manifest"));
    }
  }

  // End of document d in tokens of this shard, as stored: the caller checks it.
  i64 end(i64 d) const {
    switch (layout) {
      case ShardLayout::kLm:
      case ShardLayout::kNpy:
        return static_cast<i64>(load_le(marks.data() + kLmIndexHeader + 8 * d, 8));
      case ShardLayout::kDatatrove:
        return static_cast<i64>(load_le(marks.data() + 8 * d, 8));
      case ShardLayout::kDolma:
        return ends[usize(d)];
      case ShardLayout::kMegatron:
        break;
    }
    const u8* const lengths = marks.data() + kMegatronHeader;
    const u64 at = load_le(lengths + 4 * documents + 8 * d, 8);
    return static_cast<i64>(at / static_cast<u64>(width()) + load_le(lengths + 4 * d, 4));
  }

  // What end() does not look at: each offset is the sum of the lengths before it, and the document
  // numbers count up.
  void verify_megatron() const {
    const u8* const lengths = marks.data() + kMegatronHeader;
    const u8* const offsets = lengths + 4 * documents;
    const u8* const numbers = offsets + 8 * documents;
    u64 expected = 0;
    for (i64 d = 0; d <= documents; ++d) {
      if (d < documents && load_le(offsets + 8 * d, 8) != expected) {
        bad(index,
            cat("document ", d, " at byte ", load_le(offsets + 8 * d, 8), ", expected ", expected));
      }
      if (load_le(numbers + 8 * d, 8) != static_cast<u64>(d)) {
        bad(index, cat("document number ", load_le(numbers + 8 * d, 8), ", expected ", d));
      }
      if (d < documents) expected += load_le(lengths + 4 * d, 4) * static_cast<u64>(width());
    }
  }

  std::pair<i64, i64> range(i64 d) const {
    const i64 from = d == 0 ? 0 : end(d - 1);
    const i64 to = end(d);
    if (from < 0 || to < from || to > tokens) {
      bad(index, cat("document ", d, " spans tokens ", from, " to ", to, " of ", tokens));
    }
    return {from, to};
  }

  void read(i64 from, std::span<i32> out, i64 vocab) const {
    if (wide) {
      read_as<4>(from, out, vocab);
    } else {
      read_as<2>(from, out, vocab);
    }
  }

  template <int kWidth>  // a constant, so that the byte loop becomes one load
  void read_as(i64 from, std::span<i32> out, i64 vocab) const {
    const u8* at = token_data() + from * kWidth;
    for (std::size_t i = 0; i < out.size(); ++i, at += kWidth) {
      const u64 id = load_le(at, kWidth);
      if (id >= static_cast<u64>(vocab)) [[unlikely]] {
        bad(file, cat("token ", from + static_cast<i64>(i), " is id ", id, ", expected less than ",
                      vocab));
      }
      out[i] = static_cast<i32>(id);
    }
  }
};

std::string shard_manifest(const std::string& given) {
  namespace fs = std::filesystem;
  std::string named = given.ends_with(".json") ? given : given + ".json";
  std::error_code code;
  if (!fs::is_directory(given, code) || (named != given && fs::exists(named, code))) return named;
  std::vector<std::string> found;
  for (const std::string& name : io::list_folder(given)) {
    const std::string path = (fs::path(given) / name).string();
    if (path.ends_with(".json") && fs::is_regular_file(path, code) && is_manifest(path))
      found.push_back(path);
  }
  if (found.size() == 1) return found[0];
  if (found.empty())
    throw Error(ErrorKind::kNoInput, cat(given, ": a folder without a shard manifest"),
                "lm-tokenize pack -o PREFIX makes PREFIX.json and the shards it names");
  throw Error(ErrorKind::kUsage, cat(given, ": a folder with ", found.size(), " shard sets"),
              cat("name one: ", join(found, ", ")));
}

ShardSet::ShardSet(const std::string& manifest) {
  const std::string path = shard_manifest(manifest);
  const io::JsonDocument document(io::read_file(path, kMaxManifestBytes));
  const JsonNode top = document.root(path);
  if (top.text("format") != kFormat || top.integer("version", 0, INT32_MAX) != 1) {
    bad(path, cat("format ", quote(top.text("format")), " version ", top.at("version").integer(),
                  ", expected \"lm-token-shards\" version 1"));
  }
  try {
    layout_ = parse_shard_layout(top.text("layout"));
  } catch (const Error& e) {
    bad(path, e.message());
  }
  const std::string dtype = top.text("dtype");
  if (dtype != "u16" && dtype != "u32") top.fail("dtype", "u16 or u32");
  wide_ = dtype == "u32";
  const JsonNode tokenizer = top.object("tokenizer");
  tokenizer_ = {
      tokenizer.text("name"),  tokenizer.text("sha256"), top.integer("vocab_size", 0, i64{1} << 31),
      token_id(top, "bos_id"), token_id(top, "eos_id"),  token_id(top, "pad_id")};
  add_bos_ = top.flag("bos_added");
  add_eos_ = top.flag("eos_added");
  if ((add_bos_ && !tokenizer_.bos) || (add_eos_ && !tokenizer_.eos)) {
    bad(path, "BOS or EOS was added but has no id");
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  top.at("shards").each_item([&](const JsonNode& fields) {
    std::unique_ptr<Shard> shard = std::make_unique<Shard>();
    shard->file = beside(folder, fields, "file");
    shard->index = beside(folder, fields, "index");
    shard->tokens = fields.integer("tokens", 0, kMaxShardCount);
    shard->documents = fields.integer("documents", 0, kMaxShardCount);
    shard->xxh64 = fields.text("xxh64");
    shard->layout = layout_;
    shard->wide = wide_;
    shard->first_token = tokens_;
    shard->first_document = documents_;
    shard->open();
    tokens_ += shard->tokens;
    documents_ += shard->documents;
    shards_.push_back(std::move(shard));
  });
  const i64 tokens = top.integer("tokens", 0, kMaxCount);
  const i64 documents = top.integer("documents", 0, kMaxCount);
  if (tokens != tokens_ || documents != documents_) {
    bad(path, cat("totals ", tokens, " tokens, ", documents, " documents; the shards hold ",
                  tokens_, ", ", documents_));
  }
}

ShardSet::~ShardSet() = default;
ShardSet::ShardSet(ShardSet&&) noexcept = default;
ShardSet& ShardSet::operator=(ShardSet&&) noexcept = default;

i64 ShardSet::shards() const {
  return isize(shards_);
}

// The last shard that begins at or before the token: shards without tokens are stepped over.
const ShardSet::Shard& ShardSet::shard_of_token(i64 token) const {
  const auto after = std::upper_bound(
      shards_.begin(), shards_.end(), token,
      [](i64 value, const std::unique_ptr<Shard>& shard) { return value < shard->first_token; });
  return **std::prev(after);
}

const ShardSet::Shard& ShardSet::shard_of_document(i64 d) const {
  const auto after = std::upper_bound(
      shards_.begin(), shards_.end(), d,
      [](i64 value, const std::unique_ptr<Shard>& shard) { return value < shard->first_document; });
  return **std::prev(after);
}

void ShardSet::read(i64 begin, std::span<i32> out) const {
  if (begin < 0 || begin > tokens_ - isize(out)) {
    throw Error(ErrorKind::kUsage,
                cat("tokens ", begin, " to ", begin + isize(out), " of ", tokens_));
  }
  while (!out.empty()) {
    const Shard& shard = shard_of_token(begin);
    const i64 from = begin - shard.first_token;
    const i64 size = std::min(isize(out), shard.tokens - from);
    shard.read(from, out.first(usize(size)), tokenizer_.vocab_size);
    out = out.subspan(usize(size));
    begin += size;
  }
}

std::pair<i64, i64> ShardSet::document(i64 d) const {
  if (d < 0 || d >= documents_) {
    throw Error(ErrorKind::kUsage, cat("document ", d, " of ", documents_));
  }
  const Shard& shard = shard_of_document(d);
  const auto [from, to] = shard.range(d - shard.first_document);
  return {shard.first_token + from, shard.first_token + to};
}

i64 ShardSet::document_of(i64 token) const {
  if (token < 0 || token >= tokens_) {
    throw Error(ErrorKind::kUsage, cat("token ", token, " of ", tokens_));
  }
  const Shard& shard = shard_of_token(token);
  i64 low = 0;  // first document of the shard that ends after the token
  i64 high = shard.documents - 1;
  while (low < high) {
    const i64 middle = low + (high - low) / 2;
    if (shard.end(middle) > token - shard.first_token) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return shard.first_document + low;
}

std::vector<i64> ShardSet::document_lengths() const {
  std::vector<i64> lengths;
  lengths.reserve(usize(documents_));
  for (const std::unique_ptr<Shard>& shard : shards_) {
    for (i64 d = 0; d < shard->documents; ++d) {
      const auto [from, to] = shard->range(d);
      lengths.push_back(to - from);
    }
  }
  return lengths;
}

void ShardSet::verify_shard(const Shard& shard) const {
  const std::string_view bytes = shard.data.bytes().substr(usize(token_offset(layout_)));
  const std::string digest = hex64(xxh64(bytes));
  if (digest != shard.xxh64)
    bad(shard.file, cat("xxh64 ", digest, ", the manifest says ", shard.xxh64));
  if (layout_ == ShardLayout::kMegatron) shard.verify_megatron();
  std::vector<i32> tokens;
  for (i64 d = 0; d < shard.documents; ++d) {
    const auto [from, to] = shard.range(d);
    tokens.resize(usize(to - from));
    shard.read(from, tokens, tokenizer_.vocab_size);
    if (add_bos_ && (tokens.empty() || tokens.front() != *tokenizer_.bos)) {
      bad(shard.file, cat("document ", d, " does not begin with BOS ", *tokenizer_.bos));
    }
    if (add_eos_ && (tokens.empty() || tokens.back() != *tokenizer_.eos)) {
      bad(shard.file, cat("document ", d, " does not end with EOS ", *tokenizer_.eos));
    }
  }
}

void ShardSet::verify() const {
  for (const std::unique_ptr<Shard>& shard : shards_)
    verify_shard(*shard);
}

}  // namespace lm::text
