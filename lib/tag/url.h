#pragma once
// Addresses of the web as lists of them have it: host, port and path in lower case, without scheme,
// user, query and fragment.

#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::tag {

struct Url {
  std::string host;
  std::string port;  // "" if there is none
  std::string path;  // with / in front, or ""
  /// host[:port]path without / at the end.
  std::string clean() const;
};

/// Parts of an address, the scheme may lack. nullopt if there is no host, or one with white space.
std::optional<Url> parse_url(std::string_view text);

/// host without one "www." in front, if a dot is left.
std::string_view without_www(std::string_view host);
/// host as the reference strips it: every w and . in front away (D-13).
std::string_view without_www_dolma(std::string_view host);
/// True for four numbers with dots, and what stands in [].
bool is_address(std::string_view host);
/// The suffixes below which names are registered: those of registries, or also those of hosts whose
/// users have names of their own (github.io).
enum class Suffixes : u8 { kRegistries, kAll };

/// The domain that somebody registered, by the public suffix list; "" if host is no more than a
/// public suffix, and for numeric addresses. A view into host. Safe to call concurrently.
std::string_view registered_domain(std::string_view host, Suffixes suffixes = Suffixes::kAll);

}  // namespace lm::tag
