#include "io/tags.h"

#include <algorithm>

#include "core/hash.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::io {

namespace {

constexpr std::string_view kHeaderTag = "LMH1";
constexpr std::string_view kEndTag = "LME1";
constexpr i64 kMaxChain = 64;
constexpr i64 kMaxHeaderBytes = 40 << 10;  // with 256 inputs an end frame stays under 64 KiB

std::string totals_json(const StreamTotals& t) {
  return cat("{\"records\":", t.records, ",\"bytes\":", t.bytes, ",\"digest\":\"", hex64(t.digest),
             "\"}");
}

// json ends in '}': puts the check field in front of it.
std::string with_check(std::string_view tag, std::string json) {
  json.pop_back();
  const u64 check = xxh64(json);
  return cat(tag, json, ",\"check\":\"", hex64(check), "\"}");
}

std::optional<u64> parse_hex64(std::string_view text) {
  u64 value = 0;
  const std::from_chars_result r =
      std::from_chars(text.data(), text.data() + text.size(), value, 16);
  // Lower case only: a flipped case bit is damage too.
  if (text.size() != 16 || hex64(value) != text || r.ec != std::errc() ||
      r.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

Fault damaged(std::string_view what) {
  return Fault{"json", cat("damaged ", what, " frame"), -1};
}

// The JSON between tag and check, verified; nullopt when the check does not hold.
std::optional<std::string_view> checked_json(std::string_view payload) {
  static constexpr std::string_view kKey = ",\"check\":\"";
  constexpr std::size_t kTail = kKey.size() + 16 + 2;
  if (payload.size() < 4 + 1 + kTail) return std::nullopt;
  const std::string_view body = payload.substr(4, payload.size() - 4 - kTail);
  const std::string_view tail = payload.substr(payload.size() - kTail);
  if (!tail.starts_with(kKey) || !tail.ends_with("\"}")) return std::nullopt;
  const std::optional<u64> check = parse_hex64(tail.substr(kKey.size(), 16));
  if (!check || *check != xxh64(body)) return std::nullopt;
  return payload.substr(4);
}

// Splits the raw text of a JSON array of objects (written by this file, so no blanks) into
// elements.
std::vector<std::string_view> array_elements(std::string_view raw) {
  std::vector<std::string_view> out;
  i64 depth = 0;
  bool in_string = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth == 2 && c == '{') begin = i;
    } else if (c == '}' || c == ']') {
      if (depth-- == 2 && c == '}') out.push_back(raw.substr(begin, i + 1 - begin));
    }
  }
  return out;
}

// A JsonReader over a padded copy: tags are rare and small.
class SmallReader {
 public:
  SmallReader(std::vector<std::string> paths, std::string_view json)
      : reader_(std::move(paths)), text_(json) {
    text_.append(usize(kJsonPadding), '\0');
    ok_ = !reader_.parse(std::string_view(text_).substr(0, json.size()));
  }
  bool ok() const { return ok_; }
  JsonReader& operator*() { return reader_; }
  JsonReader* operator->() { return &reader_; }

 private:
  JsonReader reader_;
  std::string text_;
  bool ok_ = false;
};

std::optional<StreamTotals> read_totals(std::string_view json) {
  SmallReader r({"records", "bytes", "digest"}, json);
  if (!r.ok()) return std::nullopt;
  const Result<i64> records = r->integer(0);
  const Result<i64> bytes = r->integer(1);
  const Result<std::string_view> digest = r->string(2);
  if (!records || !bytes || !digest) return std::nullopt;
  const std::optional<u64> value = parse_hex64(*digest);
  if (!value) return std::nullopt;
  return StreamTotals{*records, *bytes, *value};
}

Fault newer_version(i64 v) {
  return Fault{"version", cat("stream version ", v, ", this program reads up to ", kStreamVersion),
               -1};
}

Result<StreamHeader> read_header_json(std::string_view json) {
  SmallReader r({"v", "tool", "version", "params", "seed", "chain"}, json);
  if (!r.ok()) return damaged("header");
  const Result<i64> v = r->integer(0);
  if (!v) return damaged("header");
  if (*v > kStreamVersion) {
    return newer_version(*v);
  }
  const Result<std::string_view> tool = r->string(1);
  const Result<std::string_view> version = r->string(2);
  const std::optional<u64> seed = r->has(4) ? parse_u64(r->raw(4)) : std::nullopt;
  if (!tool || !version || !seed || r->field(3).type != JsonType::kObject) return damaged("header");
  StreamHeader header;
  header.v = *v;
  header.tool = *tool;
  header.version = *version;
  header.params_json = r->raw(3);
  header.seed = *seed;
  if (r->field(5).type == JsonType::kArray) {
    for (const std::string_view one : array_elements(r->raw(5)))
      header.chain.emplace_back(one);
  }
  return header;
}

}  // namespace

void StreamTotals::add_line(std::string_view line) {
  ++records;
  bytes += static_cast<i64>(line.size()) + 1;
  digest += xxh64(line);
}

void StreamTotals::add(const StreamTotals& other) {
  records += other.records;
  bytes += other.bytes;
  digest += other.digest;
}

std::string StreamHeader::self_json() const {
  return cat("{\"v\":", v, ",\"tool\":", json_string(tool), ",\"version\":", json_string(version),
             ",\"params\":", params_json, ",\"seed\":", seed, "}");
}

std::string StreamHeader::json() const {
  std::string out = self_json();
  out.pop_back();
  out.append(",\"chain\":[");
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (i > 0) out.push_back(',');
    out.append(chain[i]);
  }
  out.append("]}");
  return out;
}

void StreamHeader::add_input(const StreamHeader& input) {
  const auto add = [this](const std::string& entry) {
    if (std::find(chain.begin(), chain.end(), entry) == chain.end()) chain.push_back(entry);
  };
  add(input.self_json());
  for (const std::string& entry : input.chain)
    add(entry);
  if (isize(chain) > kMaxChain) {
    std::string older;
    const i64 dropped = isize(chain) - (kMaxChain - 1);
    for (i64 i = kMaxChain - 1; i < isize(chain); ++i)
      append(older, chain[usize(i)], '\n');
    chain.resize(usize(kMaxChain - 1));
    chain.push_back(cat("{\"older\":", dropped, ",\"digest\":\"", hex64(xxh64(older)), "\"}"));
  }
}

std::string header_payload(const StreamHeader& header) {
  std::string payload = with_check(kHeaderTag, header.json());
  if (isize(payload) > kMaxHeaderBytes) {
    // Too much provenance for the frame: keep who made the stream, fold the rest into a digest.
    StreamHeader small = header;
    std::string all;
    for (const std::string& entry : header.chain)
      append(all, entry, '\n');
    small.chain = {
        cat("{\"older\":", isize(header.chain), ",\"digest\":\"", hex64(xxh64(all)), "\"}")};
    if (isize(small.params_json) > kMaxHeaderBytes / 2) {
      small.params_json = cat("{\"digest\":\"", hex64(xxh64(header.params_json)), "\"}");
    }
    payload = with_check(kHeaderTag, small.json());
  }
  return payload;
}

std::string end_payload(const StreamEnd& end) {
  std::string json =
      cat("{\"v\":", end.v, ",\"records\":", end.totals.records, ",\"bytes\":", end.totals.bytes,
          ",\"digest\":\"", hex64(end.totals.digest), "\",\"frames\":\"", hex64(end.frames),
          "\",\"inputs\":[");
  // More inputs than fit are summed into one entry: the counts stay checkable.
  if (isize(end.inputs) <= 256) {
    for (std::size_t i = 0; i < end.inputs.size(); ++i) {
      append(json, i > 0 ? "," : "", totals_json(end.inputs[i]));
    }
  } else {
    StreamTotals all;
    for (const StreamTotals& t : end.inputs)
      all.add(t);
    json.append(totals_json(all));
  }
  json.push_back(']');
  if (end.header) {
    std::string header = header_payload(*end.header).substr(4);
    append(json, ",\"header\":", header);
  }
  json.push_back('}');
  return with_check(kEndTag, std::move(json));
}

namespace {

// A later version may check itself in another way, but it says its number in the same place.
Fault newer_or_damaged(std::string_view payload, const char* what) {
  SmallReader r({"v"}, payload.substr(std::min<std::size_t>(4, payload.size())));
  const std::optional<i64> v = r.ok() && r->has(0) ? parse_int(r->raw(0)) : std::nullopt;
  if (v && *v > kStreamVersion) return newer_version(*v);
  return damaged(what);
}

}  // namespace

Result<StreamHeader> parse_header(std::string_view payload) {
  const std::optional<std::string_view> json = checked_json(payload);
  if (!json) return newer_or_damaged(payload, "header");
  return read_header_json(*json);
}

Result<StreamEnd> parse_end(std::string_view payload) {
  const std::optional<std::string_view> json = checked_json(payload);
  if (!json) return newer_or_damaged(payload, "end");
  SmallReader r({"v", "frames", "inputs", "header"}, *json);
  if (!r.ok()) return damaged("end");
  const Result<i64> v = r->integer(0);
  if (!v) return damaged("end");
  if (*v > kStreamVersion) {
    return newer_version(*v);
  }
  StreamEnd end;
  end.v = *v;
  const std::optional<StreamTotals> totals = read_totals(*json);
  const Result<std::string_view> frames = r->string(1);
  if (!totals || !frames || !parse_hex64(*frames)) return damaged("end");
  end.totals = *totals;
  end.frames = *parse_hex64(*frames);
  if (r->field(2).type != JsonType::kArray) return damaged("end");
  for (const std::string_view one : array_elements(r->raw(2))) {
    const std::optional<StreamTotals> t = read_totals(one);
    if (!t) return damaged("end");
    end.inputs.push_back(*t);
  }
  if (r->field(3).type == JsonType::kObject) {
    Result<StreamHeader> header = read_header_json(r->raw(3));
    if (!header) return header.fault();
    end.header = *header;
  }
  return end;
}

bool has_lm_tag(std::string_view payload) {
  return is_header_tag(payload) || is_end_tag(payload);
}
bool is_header_tag(std::string_view payload) {
  return payload.starts_with(kHeaderTag);
}
bool is_end_tag(std::string_view payload) {
  return payload.starts_with(kEndTag);
}

}  // namespace lm::io
