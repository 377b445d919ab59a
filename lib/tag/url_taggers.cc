// Lists of addresses: what they block or allow, each list under the name that Dolma gives it, and
// the address filter of datatrove.

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/str.h"
#include "core/utf8.h"
#include "io/file.h"
#include "tag/ascii_class.h"
#include "tag/define.h"
#include "tag/tagger.h"
#include "tag/url_list.h"
#include "text/aho_corasick.h"
#include "text/segment.h"

namespace lm::tag {

std::vector<TaggerDef> url_taggers();

namespace {

constexpr std::string_view kUrl = "metadata.url";

class ListedUrl : public Tagger {
 public:
  ListedUrl(std::shared_ptr<const UrlList> list, bool dolma)
      : list_(std::move(list)), dolma_(dolma) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::optional<std::string>& url = document.field(kUrl);
    if (!url) return std::nullopt;
    if (dolma_ ? list_->matches_dolma(*url) : list_->matches(*url)) out.value(0, 1);
    return std::nullopt;
  }

 private:
  std::shared_ptr<const UrlList> list_;
  bool dolma_;
};

/// UrlList of a form, so that one file read in two forms is held twice.
template <ListForm form, bool clean>
struct Listed {
  UrlList list;
};

template <ListForm form, bool clean>
void bind_list(TaggerDef& def, const std::string& path, TagFiles& files) {
  using Held = Listed<form, clean>;
  const std::shared_ptr<const Held> held = files.read<Held>(path, [](const std::string& name) {
    return Held{UrlList(io::read_file(name), name, form, clean)};
  });
  const std::shared_ptr<const UrlList> list(held, &held->list);
  files.set_entries(path, list->size());
  i64 left_out = 0;
  std::string why;
  for (const auto& [name, count] : list->left_out()) {
    left_out += count;
    append(why, why.empty() ? "" : ", ", name, " ", count);
  }
  if (left_out > 0)
    files.warn(
        cat(path, ": ", left_out, " rules are left out, which ask more than an address: ", why));
  def.make = [list](const TagSettings& settings) {
    return std::make_unique<ListedUrl>(list, settings.dolma);
  };
}

struct Known {
  const char* name;
  const char* summary;
  void (*bind)(TaggerDef&, const std::string&, TagFiles&);
};

constexpr auto kBindHosts = bind_list<ListForm::kHosts, false>;
constexpr auto kBindLines = bind_list<ListForm::kLines, false>;
constexpr auto kBindRules = bind_list<ListForm::kRules, false>;

constexpr Known kKnown[] = {
    {"domain_blocklist_utp_v1", "adult sites, Toulouse 1 Capitole", kBindHosts},
    {"domain_blocklist_phishing_v1", "hosts of the phishing database", kBindHosts},
    {"link_blocklist_phishing_v1", "addresses of the phishing database", kBindLines},
    {"oisd_small_abp_v1", "OISD, small", kBindRules},
    {"oisd_big_abp_v1", "OISD, big", kBindRules},
    {"oisd_nsfw_abp_v1", "OISD, adult sites", kBindRules},
    {"brave_core_abp_v1", "Brave, advertisements", kBindRules},
    {"brave_nsfw_abp_v1", "Brave, adult sites", kBindRules},
    {"blocklist_project_nsfw_v1", "Block List Project, adult sites", kBindHosts},
    {"blocklist_project_social_v1", "Block List Project, social networks", kBindHosts},
    {"blocklist_project_crime_v1", "Block List Project, crime", kBindHosts},
    {"blocklist_project_vice_v1", "Block List Project, gambling, drugs and the like", kBindHosts},
    {"blocklist_project_ads_v1", "Block List Project, advertisements", kBindHosts},
    {"blocklist_firebog_ads_v1", "Firebog, advertisements", kBindHosts},
    {"blocklist_firebog_crypto_v1", "Firebog, mining in browsers", kBindHosts},
    {"blocklist_firebog_malicious_v1", "Firebog, malware and phishing", kBindHosts},
    {"blocklist_firebog_nsfw_v1", "Firebog, adult sites", kBindHosts},
    {"blocklist_firebog_social_v1", "Firebog, social networks", kBindHosts},
    {"blocklist_firebog_suspicious_v1", "Firebog, suspicious hosts", kBindHosts},
    {"blocklist_firebog_trackers_v1", "Firebog, trackers", kBindHosts},
    {"blocklist_hosts_adware_malware_v1", "StevenBlack, adware and malware", kBindHosts},
    {"blocklist_hosts_fakenews_v1", "StevenBlack, fake news", kBindHosts},
    {"blocklist_hosts_gambling_v1", "StevenBlack, gambling", kBindHosts},
    {"blocklist_hosts_porn_v1", "StevenBlack, adult sites", kBindHosts},
    {"blocklist_hosts_social_v1", "StevenBlack, social networks", kBindHosts},
    {"allowlist_wikidata_v1", "websites and periodicals that Wikidata has",
     bind_list<ListForm::kWikidata, false>},
    {"allowlist_wikidata_cleaned_v1", "those without adult, satirical and other rows",
     bind_list<ListForm::kWikidata, true>},
};

TaggerDef list_tagger(std::string name, std::string summary) {
  TaggerDef def;
  def.name = std::move(name);
  def.unit = "document";
  def.summary = std::move(summary);
  def.source = "Dolma";
  def.types = {{"url", "1 where the list has the document's address"}};
  def.fields = {std::string(kUrl)};
  return def;
}

/// datatrove's lists, of which each may lack.
struct WordLists {
  HashSet64 domains;
  HashSet64 urls;
  HashSet64 words;
  HashSet64 soft_words;
  std::vector<std::string> parts;
  std::unique_ptr<text::AhoCorasick> part_finder;
};

std::string letters_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_in(c, kAlnum)) out.push_back(ascii_low(c));
  }
  return out;
}

/// Calls add for each line of folder/name, if there is one; true then.
template <class Add>
bool read_words(const std::string& folder, const char* name, TagFiles& files, Add&& add) {
  const std::string path = folder + "/" + name;
  if (!io::path_exists(path)) return false;
  const std::shared_ptr<const std::string> bytes =
      files.read<std::string>(path, [](const std::string& at) { return io::read_file(at); });
  i64 number = 0;
  i64 entries = 0;
  for (const std::string_view line : split(std::string_view(*bytes), '\n')) {
    ++number;
    if (!is_valid_utf8(line))
      throw Error(ErrorKind::kData, cat(path, ":", number, ": is not UTF-8"));
    if (text::is_blank(line) || line.starts_with('#')) continue;
    add(text::strip(line));
    ++entries;
  }
  files.set_entries(path, entries);
  return true;
}

WordLists read_lists(const std::string& folder, TagFiles& files) {
  WordLists lists;
  bool any = false;
  const auto set = [&](const char* name, HashSet64& into, bool letters) {
    any |= read_words(folder, name, files, [&](std::string_view line) {
      const std::string word = letters ? letters_of(line) : std::string(line);
      if (!word.empty()) into.add(word);
    });
    into.sort();
  };
  set("domains", lists.domains, false);
  set("urls", lists.urls, false);
  set("banned_words.txt", lists.words, true);
  set("soft_banned_words.txt", lists.soft_words, true);
  any |= read_words(folder, "banned_subwords.txt", files, [&](std::string_view line) {
    if (std::string part = letters_of(line); !part.empty()) lists.parts.push_back(std::move(part));
  });
  if (!any)
    throw Error(ErrorKind::kNoInput, cat(folder, ": has none of the lists of url_words"),
                "they are domains, urls, banned_words.txt, soft_banned_words.txt and "
                "banned_subwords.txt");
  const std::vector<std::string_view> parts(lists.parts.begin(), lists.parts.end());
  if (!parts.empty()) lists.part_finder = std::make_unique<text::AhoCorasick>(parts, false);
  return lists;
}

class UrlWords : public Tagger {
 public:
  enum Type : i64 { kDomain, kSubdomain, kAddress, kWord, kSoftWords, kPart, kFails };
  static constexpr i64 kSoftLimit = 2;

  explicit UrlWords(std::shared_ptr<const WordLists> lists) : lists_(std::move(lists)) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::optional<std::string>& url = document.field(kUrl);
    if (!url || url->empty()) return std::nullopt;
    const std::optional<Url> parsed = parse_url(*url);
    std::set<std::string> words;
    for (i64 at = 0; at < isize(*url);) {
      const i64 last = run_end(*url, at, kAlnum);
      if (last > at) words.insert(letters_of(url->substr(usize(at), usize(last - at))));
      at = last + 1;
    }
    const auto listed = [](const HashSet64& set) {
      return [&set](const std::string& word) { return set.contains(word); };
    };
    const i64 soft = std::count_if(words.begin(), words.end(), listed(lists_->soft_words));
    bool fails = soft >= kSoftLimit;
    const auto put = [&](Type type, bool hit) {
      if (hit) out.value(type, 1);
      fails = fails || hit;
    };
    if (parsed) {
      const std::string_view domain = registered_domain(parsed->host, Suffixes::kRegistries);
      put(kDomain, !domain.empty() && lists_->domains.contains(domain));
      put(kSubdomain, parsed->host != domain && lists_->domains.contains(parsed->host));
    }
    put(kAddress, lists_->urls.contains(*url));
    put(kWord, std::any_of(words.begin(), words.end(), listed(lists_->words)));
    out.value(kSoftWords, static_cast<f64>(soft));
    put(kPart, lists_->part_finder && lists_->part_finder->found_in(letters_of(*url)));
    out.value(kFails, fails);
    return std::nullopt;
  }

 private:
  std::shared_ptr<const WordLists> lists_;
};

TaggerDef url_words() {
  TaggerDef def;
  def.name = "url_words";
  def.unit = "document";
  def.summary = "words and parts of words in addresses; the file is a folder of datatrove's lists";
  def.source = "datatrove; Penedo et al. 2024";
  def.types = {{"domain", "1 where domains has the registered domain"},
               {"subdomain", "1 where domains has the host"},
               {"url", "1 where urls has the address as it is"},
               {"banned_word", "1 for a word of banned_words.txt"},
               {"soft_banned_words", "how many words of soft_banned_words.txt"},
               {"banned_subword", "1 for an entry of banned_subwords.txt in letters and digits"},
               {"fails", "1 for any of these, and two soft words; else 0"}};
  def.fields = {std::string(kUrl)};
  def.file = "url_words";
  def.bind = [](TaggerDef& own, const std::string& path, TagFiles& files) {
    const std::shared_ptr<const WordLists> lists =
        std::make_shared<const WordLists>(read_lists(path, files));
    own.make = [lists](const TagSettings&) { return std::make_unique<UrlWords>(lists); };
  };
  return def;
}

}  // namespace

TaggerDef urls_tagger(const Definition& of, TagFiles& files) {
  if (of.unit != "document")
    throw Error(ErrorKind::kUsage,
                cat("--define ", of.name, ": addresses are a document's, not a ", of.unit, "'s"));
  TaggerDef def = list_tagger(of.name, "a list of addresses");
  kBindHosts(def, of.argument, files);
  return def;
}

std::vector<TaggerDef> url_taggers() {
  std::vector<TaggerDef> all;
  for (const Known& known : kKnown) {
    TaggerDef& def = all.emplace_back(list_tagger(known.name, known.summary));
    def.file = known.name;
    def.bind = known.bind;
  }
  all.push_back(url_words());
  return all;
}

}  // namespace lm::tag
