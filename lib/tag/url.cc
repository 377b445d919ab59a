#include "tag/url.h"

#include <algorithm>

#include <libpsl.h>

#include "core/str.h"
#include "tag/ascii_class.h"
#include "text/segment.h"
#include "text/unicode.h"

namespace lm::tag {

std::string Url::clean() const {
  std::string out = host;
  if (!port.empty()) append(out, ":", port);
  out += path;
  while (out.ends_with('/'))
    out.pop_back();
  return out;
}

std::optional<Url> parse_url(std::string_view text) {
  std::string_view rest = text::strip(text);
  const std::size_t scheme = rest.find("://");
  if (scheme != std::string_view::npos &&
      run_end(rest, 0, kAlnum | kDash | kDot | kPlusSlash) == static_cast<i64>(scheme)) {
    rest.remove_prefix(scheme + 3);
  } else if (rest.starts_with("//")) {
    rest.remove_prefix(2);
  }
  rest = rest.substr(0, rest.find_first_of("?#"));
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  Url url;
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const std::string_view port = authority.substr(colon + 1);
    if (run_end(port, 0, kDigit) != isize(port)) return std::nullopt;
    url.port = port;
    authority = authority.substr(0, colon);
  }
  while (authority.ends_with('.'))
    authority.remove_suffix(1);
  for (i64 at = 0; at < isize(authority);) {
    if (text::py_space_size(authority, at) > 0) return std::nullopt;
    do
      ++at;
    while (at < isize(authority) && (static_cast<u8>(authority[usize(at)]) & 0xC0) == 0x80);
  }
  if (authority.empty()) return std::nullopt;
  url.host = text::to_lower(authority);
  url.path = text::to_lower(rest.substr(slash));
  return url;
}

std::string_view without_www(std::string_view host) {
  const bool more = host.find('.', 4) != std::string_view::npos;
  return more && host.starts_with("www.") ? host.substr(4) : host;
}

std::string_view without_www_dolma(std::string_view host) {
  const std::size_t first = host.find_first_not_of("w.");
  return first == std::string_view::npos ? std::string_view() : host.substr(first);
}

bool is_address(std::string_view host) {
  return host.starts_with('[') || run_end(host, 0, kDigit | kDot) == isize(host);
}

std::string_view registered_domain(std::string_view host, Suffixes suffixes) {
  if (is_address(host)) return {};
  const int kinds = suffixes == Suffixes::kAll ? PSL_TYPE_ANY : PSL_TYPE_ICANN;
  const auto is_suffix = [&](std::string_view name) {
    return psl_is_public_suffix2(psl_builtin(), std::string(name).c_str(), kinds) != 0;
  };
  if (is_suffix(host)) return {};
  for (std::size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.')) {
    if (is_suffix(host.substr(dot + 1))) return host;
    host.remove_prefix(dot + 1);
  }
  return {};
}

}  // namespace lm::tag
