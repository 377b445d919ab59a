#include "ingest/http.h"

#include <charconv>

#include "core/str.h"
#include "io/input_source.h"

namespace lm::ingest {

namespace {

// Takes the line with a chunk's size from body; nullopt for what is none.
std::optional<i64> take_chunk_size(std::string_view& body) {
  const std::size_t lf = body.find('\n');
  if (lf == std::string_view::npos) return std::nullopt;
  i64 size = 0;
  const std::from_chars_result end = std::from_chars(body.data(), body.data() + lf, size, 16);
  if (end.ec != std::errc() || size < 0) return std::nullopt;
  const char next = *end.ptr;  // body[lf] is there
  if (next != '\r' && next != '\n' && next != ';' && next != ' ') return std::nullopt;
  body.remove_prefix(lf + 1);
  return size;
}

// nullopt if the body is not chunked: it does not begin with a whole chunk. One that goes wrong
// behind whole chunks ends there.
std::optional<std::string> without_chunks(std::string_view body) {
  std::string out;
  for (bool first = true;; first = false) {
    const std::optional<std::string> so_far = first ? std::nullopt : std::optional(out);
    const std::optional<i64> size = take_chunk_size(body);
    if (!size) return so_far;
    if (*size == 0) return out;
    if (isize(body) < *size) return out.append(body);  // cut by a limit of the crawl
    out += body.substr(0, usize(*size));
    body.remove_prefix(usize(*size));
    if (body.starts_with('\r')) body.remove_prefix(1);
    if (body.empty()) return out;
    if (!body.starts_with('\n')) return so_far;
    body.remove_prefix(1);
  }
}

std::optional<std::string> inflate(std::string_view packed, i64 limit) {
  io::GzipDecoder gzip;
  std::string out;
  while (!packed.empty()) {
    const char* problem = nullptr;
    const std::size_t before = out.size();
    const i64 used = gzip.decode(packed, out, problem);
    if (problem != nullptr || isize(out) > limit) return std::nullopt;
    if (used == 0 && out.size() == before) return std::nullopt;
    packed.remove_prefix(usize(used));
  }
  if (gzip.in_member()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<HttpResponse> parse_http(std::string_view text) {
  if (!text.starts_with("HTTP/")) return std::nullopt;
  const std::size_t line = text.find('\n');
  const std::size_t space = text.find(' ');
  if (line == std::string_view::npos || space > line) return std::nullopt;
  HttpResponse out;
  const std::string_view rest = text.substr(space + 1, line - space - 1);
  const std::from_chars_result code =
      std::from_chars(rest.data(), rest.data() + rest.size(), out.status);
  if (code.ec != std::errc()) return std::nullopt;
  // Servers send lines that are no fields; they are passed over.
  std::string fields;
  std::string_view at = text.substr(line + 1);
  while (true) {
    const std::size_t lf = at.find('\n');
    if (lf == std::string_view::npos) return std::nullopt;
    const std::string_view field = at.substr(0, lf);
    at.remove_prefix(lf + 1);
    if (trim(field).empty()) break;
    const std::size_t colon = field.find(':');
    if (colon != std::string_view::npos && colon > 0 && field[0] != ' ' && field[0] != '\t')
      append(fields, field, "\n");
  }
  out.fields.parse(fields);
  out.body = at;
  return out;
}

std::optional<std::string> http_content(const HttpResponse& response, i64 limit) {
  std::string content;
  std::optional<std::string> joined;
  if (ascii_lower(response.fields.get("transfer-encoding")).ends_with("chunked"))
    joined = without_chunks(response.body);
  content = joined ? std::move(*joined) : std::string(response.body);
  const std::string encoding = ascii_lower(response.fields.get("content-encoding"));
  if (content.starts_with(io::kGzipMagic) && (encoding == "gzip" || encoding == "x-gzip"))
    return inflate(content, limit);
  if (encoding == "br" || encoding == "deflate" || encoding == "zstd") {
    // Unpacked by the writer if it is text; packed bytes hardly ever are.
    if (content.find('\0') != std::string::npos || content.find('<') == std::string::npos)
      return std::nullopt;
  }
  return content;
}

}  // namespace lm::ingest
