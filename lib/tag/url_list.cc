#include "tag/url_list.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "core/utf8.h"
#include "tag/ascii_class.h"
#include "text/segment.h"
#include "text/unicode.h"

namespace lm::tag {

namespace {

bool is_ip(std::string_view text) {
  const std::string name(text);
  std::array<u8, 16> bytes{};
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

/// Addresses that hosts files send a name to so that nobody reaches it.
bool is_nowhere(std::string_view ip) {
  return ip.starts_with("127.") || ip == "0.0.0.0" || ip == "::1" || ip == "::" ||
         ip == "255.255.255.255" || ip.starts_with("fe80:") || ip.starts_with("ff0");
}

bool is_own_name(std::string_view host) {
  return host == "localhost" || host == "localdomain" || host == "localhost.localdomain" ||
         host == "local" || host == "broadcasthost" || host.starts_with("ip6-") || is_ip(host);
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) return host.ends_with(']') && is_ip(host.substr(1, host.size() - 2));
  if (host.find('.') == std::string_view::npos || host.starts_with('.')) return false;
  return host.find("..") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return is_in(c, kToken | kDot) || (static_cast<u8>(c) & 0x80) != 0;
         });
}

/// Host and address as one key, without www.
std::string address_key(const Url& url) {
  Url key = url;
  key.host = without_www(url.host);
  return key.clean();
}

bool is_rule(std::string_view line) {
  return line.starts_with('|') || line.starts_with("@@") || line.starts_with("/") ||
         line.find_first_of("^*$") != std::string_view::npos || line.find("##") < line.size() ||
         line.find("#@#") < line.size() || line.find("#?#") < line.size();
}

/// Ends a part of an address, as ^ of a rule has it.
bool is_separator(char c) {
  return !is_in(c, kToken | kDot) && c != '%' && (static_cast<u8>(c) & 0x80) == 0;
}

/// End of part at a place of text, -1 if it does not stand there.
i64 part_end(std::string_view part, std::string_view text, i64 at) {
  for (const char c : part) {
    if (at == isize(text)) {
      if (c != '^') return -1;
      continue;
    }
    const char own = text[usize(at)];
    if (c == '^' ? !is_separator(own) : c != own) return -1;
    ++at;
  }
  return at;
}

/// A word of the pattern that an address has between two characters that are in no word; "" if none
/// is sure to.
std::string_view sure_word(std::string_view pattern, bool begin, bool end) {
  std::string_view best;
  for (i64 at = 0; at < isize(pattern);) {
    const i64 last = run_end(pattern, at, kAlnum);
    const bool left = at > 0 ? pattern[usize(at - 1)] != '*' : begin;
    const bool right = last < isize(pattern) ? pattern[usize(last)] != '*' : end;
    if (left && right && last - at > isize(best))
      best = pattern.substr(usize(at), usize(last - at));
    at = last + 1;
  }
  return best.size() > 1 ? best : std::string_view();
}

// What Dolma's filter of rows looks for.
constexpr std::string_view kUnwanted[] = {
    "sex",     "adult",    "satire",          "gossip",        "tabloid",
    "tracker", "dating",   "image",           "humor",         "joke",
    "comedy",  "porn",     "social media",    "freemium",      "betting",
    "casino",  "gambling", "celebrity",       "4chan",         "camming",
    "escort",  "hentai",   "imageboard",      "image hosting", "crowdfunding",
    "nudity",  "comic",    "online database", "company",       "website"};
constexpr std::string_view kUnwantedEnds[] = {".xxx",    ".adult", ".sex",  ".porn", ".sexy",
                                              ".dating", ".cam",   ".tube", ".chat"};

bool is_wanted_row(std::string_view url, const std::string& description) {
  const auto none = [](std::string_view text, auto& parts) {
    return std::none_of(std::begin(parts), std::end(parts), [&](std::string_view part) {
      return text.find(part) != std::string_view::npos;
    });
  };
  return none(text::to_lower(description), kUnwanted) && none(url, kUnwantedEnds);
}

/// The last two labels of a host with more than three.
std::string_view base_dolma(std::string_view host) {
  if (count_byte(host, '.') <= 2) return host;
  const std::size_t last = host.rfind('.');
  return host.substr(host.rfind('.', last - 1) + 1);
}

std::array<std::string, 4> row_forms_dolma(std::string_view host) {
  const std::string bare(without_www_dolma(host));
  const std::string www = cat("www.", bare);
  return {bare, std::string(base_dolma(bare)), www, std::string(base_dolma(www))};
}

/// Parents of any height, the last label included.
bool has_host_or_parent(const HashSet64& hosts, std::string_view host) {
  while (hosts.size() > 0 && !hosts.contains(host)) {
    const std::size_t dot = host.find('.');
    if (dot == std::string_view::npos) return false;
    host.remove_prefix(dot + 1);
  }
  return hosts.size() > 0;
}

}  // namespace

void HashSet64::add(std::string_view s) {
  hashes_.push_back(xxh3_64(s));
}

void HashSet64::sort() {
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
  hashes_.shrink_to_fit();
}

bool HashSet64::contains(std::string_view s) const {
  return std::binary_search(hashes_.begin(), hashes_.end(), xxh3_64(s));
}

UrlList::UrlList(std::string_view bytes, const std::string& name, ListForm form, bool clean)
    : form_(form) {
  i64 number = 0;
  for (const std::string_view raw : split(bytes, '\n')) {
    ++number;
    if (!is_valid_utf8(raw))
      throw Error(ErrorKind::kData, cat(name, ":", number, ": is not UTF-8"));
    const std::string_view stripped = text::strip(raw);
    if (stripped.empty()) continue;
    if (form == ListForm::kWikidata) {
      read_rows(stripped, cat(name, ":", number), clean);
      continue;
    }
    const std::string line = text::to_lower(stripped);
    if (line[0] == ';' || line[0] == '!') continue;
    if (line[0] == '#' && !(form == ListForm::kRules && line.starts_with("##"))) continue;
    if (line.starts_with("[adblock")) continue;
    if (!add_line(line))
      throw Error(ErrorKind::kData,
                  cat(name, ":", number, ": ", quote(stripped), " is no entry of a list, expected ",
                      form == ListForm::kRules   ? "a rule of Adblock Plus"
                      : form == ListForm::kLines ? "an address"
                                                 : "a host, an address or a rule"),
                  "lines that begin with #, ; or ! are comments");
  }
  for (HashSet64* const set : {&hosts_, &addresses_, &dolma_, &blocked_.hosts, &allowed_.hosts})
    set->sort();
  if (size() == 0) throw Error(ErrorKind::kData, cat(name, ": has no entries"));
}

bool UrlList::add_line(std::string_view line) {
  if (form_ == ListForm::kLines) {
    const std::optional<Url> url = parse_url(line);
    if (!url) return false;
    addresses_.add(url->clean());
    dolma_.add(line);
    return true;
  }
  if (form_ == ListForm::kRules || is_rule(line)) return add_rule(line);
  std::vector<std::string_view> words;
  for (const std::string_view word : text::words_ws(line)) {
    if (word.starts_with('#')) break;
    words.push_back(word);
  }
  return words.size() == 1 ? add_address(words[0]) : add_hosts(words);
}

/// ADDRESS HOST...
bool UrlList::add_hosts(const std::vector<std::string_view>& words) {
  if (!is_ip(words[0])) return false;
  dolma_.add(words[0]);  // whichever it is: the test for addresses of nowhere fails (D-14)
  if (!is_nowhere(words[0])) hosts_.add(words[0]);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (is_own_name(words[i])) continue;
    const std::optional<Url> url = parse_url(words[i]);
    if (!url || !is_host(url->host)) return false;
    hosts_.add(without_www(url->host));
    if (i > 1) continue;
    dolma_.add(without_www_dolma(url->host));
    dolma_.add(cat("www.", without_www_dolma(url->host)));
  }
  return true;
}

bool UrlList::add_address(std::string_view text) {
  const std::optional<Url> url = parse_url(text);
  if (!url || !is_host(url->host)) return false;
  if (url->port.empty() && (url->path.empty() || url->path == "/")) {
    hosts_.add(without_www(url->host));
  } else {
    addresses_.add(address_key(*url));
  }
  dolma_.add(without_www_dolma(url->host));
  dolma_.add(cat("www.", without_www_dolma(url->host)));
  return true;
}

bool UrlList::asks_more(std::string_view options) {
  constexpr std::string_view kOfPages[] = {"all",          "document",    "doc",  "popup",
                                           "important",    "first-party", "1p",   "match-case",
                                           "~third-party", "~3p",         "other"};
  for (const std::string_view option : split(options, ',')) {
    const std::string_view name = trim(option.substr(0, option.find('=')));
    const bool page =
        std::find(std::begin(kOfPages), std::end(kOfPages), name) != std::end(kOfPages);
    // ~script: everything but scripts, so pages too.
    if (page || (name.starts_with('~') && name != "~document" && name != "~doc" &&
                 name != "~first-party" && name != "~1p"))
      continue;
    ++left_out_[std::string(name)];
    return true;
  }
  return false;
}

bool UrlList::add_rule(std::string_view line) {
  for (const std::string_view mark : {"##", "#@#", "#?#", "#$#", "#%#"}) {
    if (line.find(mark) == std::string_view::npos) continue;
    ++left_out_["elements to hide"];
    return true;
  }
  Rules& rules = line.starts_with("@@") ? allowed_ : blocked_;
  if (line.starts_with("@@")) line.remove_prefix(2);
  const std::size_t dollar = line.rfind('$');
  const std::string_view options =
      dollar == std::string_view::npos ? std::string_view() : line.substr(dollar + 1);
  line = line.substr(0, dollar);
  if (line.size() > 1 && line.starts_with('/') && line.ends_with('/')) {
    ++left_out_["regular expressions"];
    return true;
  }
  if (!options.empty() && asks_more(options)) return true;
  Rule rule{};
  if (line.starts_with("||")) {
    rule.host = true;
    line.remove_prefix(2);
  } else if (line.starts_with('|')) {
    rule.begin = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('|')) {
    rule.end = true;
    line.remove_suffix(1);
  }
  for (const char c : line) {
    if (c == ' ' || c == '\t') return false;
    if (c != '*' || !rule.pattern.ends_with('*')) rule.pattern.push_back(c);
  }
  if (rule.pattern.empty() || rule.pattern == "*" || rule.pattern == "^") return false;
  add_pattern(rules, std::move(rule));
  return true;
}

void UrlList::add_pattern(Rules& rules, Rule rule) {
  const std::string_view pattern = rule.pattern;
  if (rule.host && !rule.end && pattern.ends_with('^') &&
      is_host(pattern.substr(0, pattern.size() - 1))) {
    rules.hosts.add(pattern.substr(0, pattern.size() - 1));
    // Of a hosts list the reference holds what stands before ^; its engine of rules takes www.
    // away.
    std::string_view host = pattern.substr(0, pattern.size() - 1);
    while (form_ == ListForm::kRules && host.starts_with("www."))
      host.remove_prefix(4);
    if (&rules == &blocked_) dolma_.add(host);
    return;
  }
  const u32 number = static_cast<u32>(rules.patterns.size());
  const std::string_view word = sure_word(pattern, rule.begin || rule.host, rule.end);
  if (word.empty()) {
    rules.without_word.push_back(number);
  } else {
    rules.by_word[xxh3_64(word)].push_back(number);
  }
  rules.patterns.push_back(std::move(rule));
}

void UrlList::read_rows(std::string_view line, const std::string& where, bool clean) {
  const nlohmann::json rows = nlohmann::json::parse(line, nullptr, false);
  if (!rows.is_array())
    throw Error(ErrorKind::kData, cat(where, ": is no JSON array of rows"),
                "expected [{\"url\": ..., \"description\": ...}, ...]");
  for (const nlohmann::json& row : rows) {
    if (!row.is_object() || !row.contains("url") || !row["url"].is_string()) continue;
    const std::string& url = row["url"].get_ref<const std::string&>();
    const std::optional<Url> parsed = parse_url(url);
    if (!parsed || !is_host(parsed->host)) continue;
    add_row_dolma(parsed->host);
    const auto description = row.find("description");
    const bool described = description != row.end() && description->is_string();
    if (clean && (!described || !is_wanted_row(url, description->get_ref<const std::string&>())))
      continue;
    const std::string_view domain = registered_domain(parsed->host);
    hosts_.add(domain.empty() ? parsed->host : domain);
  }
}

void UrlList::add_row_dolma(std::string_view host) {
  for (const std::string& form : row_forms_dolma(host)) {
    for (const std::string& again : row_forms_dolma(form))
      dolma_.add(again);
  }
}

bool UrlList::row_matches_dolma(std::string_view host) const {
  for (const std::string& form : row_forms_dolma(host)) {
    for (const std::string& again : row_forms_dolma(form)) {
      if (dolma_.contains(again)) return true;
    }
  }
  return false;
}

bool UrlList::matches(std::string_view url) const {
  const std::optional<Url> parsed = parse_url(url);
  if (!parsed) return false;
  if (form_ == ListForm::kLines) return addresses_.contains(parsed->clean());
  if (addresses_.contains(address_key(*parsed))) return true;
  const std::string_view domain = registered_domain(parsed->host);
  const std::size_t least = domain.empty() ? parsed->host.size() : domain.size();
  std::string_view host = without_www(parsed->host);
  if (hosts_.contains(host)) return true;
  for (std::size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.')) {
    host.remove_prefix(dot + 1);
    if (host.size() < least) break;
    if (hosts_.contains(host)) return true;
  }
  std::string text = text::to_lower(text::strip(url));
  if (text.find("://") == std::string::npos)
    text = cat("http:", text.starts_with("//") ? "" : "//", text);
  const std::size_t begin = text.find(parsed->host, text.find("://") + 3);
  if (begin == std::string::npos) return false;
  return blocks({text, static_cast<i64>(begin), static_cast<i64>(begin) + isize(parsed->host)});
}

bool UrlList::matches_dolma(std::string_view url) const {
  const std::optional<Url> parsed = parse_url(url);
  if (!parsed) return false;
  if (form_ == ListForm::kLines) return dolma_.contains(parsed->clean());
  if (form_ == ListForm::kWikidata) return row_matches_dolma(parsed->host);
  if (form_ == ListForm::kRules) {
    const std::string text = cat("http://", parsed->clean());
    const Address address{text, 7, 7 + isize(parsed->host)};
    if (applies(allowed_, address)) return false;
    return has_host_or_parent(dolma_, parsed->host) || applies(blocked_, address);
  }
  const std::string_view bare = without_www_dolma(parsed->host);
  return dolma_.contains(bare) || dolma_.contains(cat("www.", bare));
}

i64 UrlList::size() const {
  return hosts_.size() + addresses_.size() + blocked_.size() + allowed_.size();
}

bool UrlList::blocks(const Address& address) const {
  return applies(blocked_, address) && !applies(allowed_, address);
}

bool UrlList::applies(const Rules& rules, const Address& address) {
  const std::string_view host =
      address.text.substr(usize(address.host_begin), usize(address.host_end - address.host_begin));
  if (has_host_or_parent(rules.hosts, host)) return true;
  const auto matches = [&](u32 number) {
    const Rule& rule = rules.patterns[number];
    if (!rule.host) return rule_matches(rule.pattern, address.text, rule.begin, rule.end);
    for (i64 at = address.host_begin; at < address.host_end; ++at) {
      if (at > address.host_begin && address.text[usize(at - 1)] != '.') continue;
      if (rule_matches(rule.pattern, address.text.substr(usize(at)), true, rule.end)) return true;
    }
    return false;
  };
  if (std::any_of(rules.without_word.begin(), rules.without_word.end(), matches)) return true;
  for (i64 at = 0; at < isize(address.text) && !rules.by_word.empty();) {
    const i64 last = run_end(address.text, at, kAlnum);
    const auto found =
        rules.by_word.find(xxh3_64(address.text.substr(usize(at), usize(last - at))));
    if (found != rules.by_word.end() &&
        std::any_of(found->second.begin(), found->second.end(), matches))
      return true;
    at = last + 1;
  }
  return false;
}

bool rule_matches(std::string_view pattern, std::string_view text, bool begin, bool end) {
  const std::vector<std::string_view> parts = split(pattern, '*');
  i64 at = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    const bool last = i + 1 == parts.size();
    if (last && end && !part.empty()) {
      // Each ^ at its end may stand for the end itself, which makes the part shorter by one.
      const std::size_t solid = part.find_last_not_of('^');
      const i64 least = solid == std::string_view::npos ? 0 : static_cast<i64>(solid) + 1;
      for (i64 size = isize(part); size >= least; --size) {
        const i64 first = isize(text) - size;
        if (first >= at && (i > 0 || !begin || first == 0) &&
            part_end(part, text, first) == isize(text))
          return true;
      }
      return false;
    }
    i64 found = part_end(part, text, at);
    if (i > 0 || !begin) {
      while (found < 0 && at < isize(text))
        found = part_end(part, text, ++at);
    }
    if (found < 0) return false;
    at = found;
  }
  return true;
}

}  // namespace lm::tag
