#pragma once
// HTTP responses as WARC files keep them (RFC 9112): a head, and a body that may still be chunked
// or packed.

#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"
#include "ingest/warc_reader.h"

namespace lm::ingest {

struct HttpResponse {
  i64 status = 0;
  HeadFields fields;
  std::string_view body;  // of the text given to parse_http
};

/// nullopt for what has no status line or no end of its head.
std::optional<HttpResponse> parse_http(std::string_view text);

/// The body without chunks and gzip, if the head says that it has them and it does have them: many
/// writers of WARC files unpack the body and leave the head as it was. At most limit bytes. nullopt
/// for what is packed otherwise, is corrupt or longer.
std::optional<std::string> http_content(const HttpResponse& response, i64 limit);

}  // namespace lm::ingest
