#pragma once
// A list of hosts and addresses, and rules in the form of Adblock Plus, for a few bytes an entry:
// sorted 64-bit hashes (two of a million entries are equal once in 10^7 lists). Immutable, shared
// by all threads.

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/types.h"
#include "tag/url.h"

namespace lm::tag {

/// Sorted hashes of strings.
class HashSet64 {
 public:
  void add(std::string_view s);
  /// After the last add().
  void sort();
  bool contains(std::string_view s) const;
  i64 size() const { return isize(hashes_); }

 private:
  std::vector<u64> hashes_;
};

/// What a list is made of. Lines in any case; blanks around, empty lines and those that begin with
/// # ; or ! count for nothing.
enum class ListForm {
  kHosts,    // ADDRESS HOST..., HOST, HOST/PATH, and rules of Adblock Plus
  kLines,    // each line an address that has to be the whole one
  kRules,    // rules of Adblock Plus
  kWikidata  // lines of JSON: [{"url": ..., "description": ...}, ...]
};

class UrlList {
 public:
  /// bytes: of the file called name. clean: of kWikidata, without the rows that Dolma's filter
  /// means to leave out. Throws Error{kData} NAME:LINE for lines of another form, and for a list
  /// without entries.
  UrlList(std::string_view bytes, const std::string& name, ListForm form, bool clean = false);

  /// The list has the host, with or without www., or a parent of it that somebody registered, or
  /// the address, or a rule of it applies. kLines: has the address.
  bool matches(std::string_view url) const;
  /// As Dolma looks: no parents, addresses by their host alone, no query in what rules see.
  bool matches_dolma(std::string_view url) const;

  i64 size() const;
  /// Rules left out for what they ask beside the address: "third-party" -> 12.
  const std::map<std::string, i64>& left_out() const { return left_out_; }

 private:
  struct Rule {
    std::string pattern;  // of literal characters, * and ^
    bool host;            // begins at a label of the host
    bool begin;           // begins the address
    bool end;
  };
  struct Rules {
    HashSet64 hosts;  // ||HOST^
    std::vector<Rule> patterns;
    std::unordered_map<u64, std::vector<u32>> by_word;  // a word that has to be in the address
    std::vector<u32> without_word;
    i64 size() const { return hosts.size() + isize(patterns); }
  };
  struct Address {
    std::string_view text;
    i64 host_begin;
    i64 host_end;
  };
  bool add_line(std::string_view line);
  bool add_hosts(const std::vector<std::string_view>& words);
  bool add_address(std::string_view text);
  bool add_rule(std::string_view line);
  bool asks_more(std::string_view options);
  void add_pattern(Rules& rules, Rule rule);
  void read_rows(std::string_view line, const std::string& where, bool clean);
  void add_row_dolma(std::string_view host);
  bool row_matches_dolma(std::string_view host) const;
  bool blocks(const Address& address) const;
  static bool applies(const Rules& rules, const Address& address);

  ListForm form_;
  HashSet64 hosts_;
  HashSet64 addresses_;
  HashSet64 dolma_;  // the strings that the reference would hold
  Rules blocked_;
  Rules allowed_;
  std::map<std::string, i64> left_out_;
};

/// True if pattern (* any characters, ^ one that ends a part of an address, or its end) stands in
/// text: begin, end: there alone. O(|text| |pattern|).
bool rule_matches(std::string_view pattern, std::string_view text, bool begin, bool end);

}  // namespace lm::tag
