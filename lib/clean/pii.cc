// Addresses of people and machines are replaced by such as belong to nobody, those of datatrove.
// What is an address the tagger pii_v3 says.

#include <algorithm>
#include <array>
#include <tuple>

#include "clean/cleaner.h"
#include "core/error.h"
#include "tag/catalogue.h"

namespace lm::clean {

CleanerDef pii_cleaner();

namespace {

enum Type : i64 { kEmail, kIp };
enum Option : i64 { kEmails, kIps, kPublicOnly };

constexpr std::array<std::string_view, 2> kEmailAddresses = {"email@example.com",
                                                             "firstname.lastname@example.org"};
constexpr std::array<std::string_view, 6> kIpAddresses = {"22.214.171.124", "126.96.36.199",
                                                          "188.8.131.52",   "184.108.40.206",
                                                          "220.127.116.11", "18.104.22.168"};

class Pii : public Cleaner {
 public:
  explicit Pii(const OptionValues& options) : emails_(options.on(kEmails)), ips_(options.on(kIps)) {
    const tag::TaggerDef& def = tag::tagger_named("pii_v3");
    tagger_ = def.make(tag::TagSettings());
    lists_.resize(def.types.size());
    email_list_ = place(def, "EMAIL_ADDRESS");
    ip_list_ = place(def, options.on(kPublicOnly) ? "PUBLIC_IP_ADDRESS" : "IP_ADDRESS");
  }

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    for (std::vector<text::ScoredSpan>& list : lists_)
      list.clear();
    tag::Emitter emitter(document, lists_, named_, 0);
    LM_CHECK(!tagger_->tag(document, emitter), "every text can be searched");
    if (emails_) replace(document, email_list_, kEmail, kEmailAddresses, out);
    if (ips_) replace(document, ip_list_, kIp, kIpAddresses, out);
    std::sort(out.edits.begin(), out.edits.end(), [](const Edit& a, const Edit& b) {
      return std::tie(a.begin, a.type) < std::tie(b.begin, b.type);
    });
    // An address of a machine inside one of a person went with it.
    i64 reached = 0;
    std::erase_if(out.edits, [&](const Edit& edit) {
      if (edit.begin < reached) return true;
      reached = edit.end;
      return false;
    });
  }

 private:
  static std::size_t place(const tag::TaggerDef& def, std::string_view type) {
    for (std::size_t i = 0; i < def.types.size(); ++i)
      if (def.types[i].name == type) return i;
    LM_CHECK(false, "pii_v3 has the type");
  }

  /// Each of them by the next of with, over and over.
  void replace(tag::Document& document, std::size_t list, i64 type,
               std::span<const std::string_view> with, Findings& out) const {
    std::size_t next = 0;
    for (const text::ScoredSpan& span : lists_[list]) {
      out.edits.push_back({document.byte_of(span.begin), document.byte_of(span.end), type,
                           std::string(with[next])});
      next = (next + 1) % with.size();
    }
  }

  bool emails_;
  bool ips_;
  std::unique_ptr<tag::Tagger> tagger_;
  std::size_t email_list_ = 0;
  std::size_t ip_list_ = 0;
  std::vector<std::vector<text::ScoredSpan>> lists_;
  std::vector<tag::NamedSpans> named_;  // none: pii_v3 has no names of documents' making
};

}  // namespace

CleanerDef pii_cleaner() {
  return {"pii",
          "addresses of people and machines are replaced by such as belong to nobody",
          "datatrove; what is an address: lm-tag -T pii_v3",
          {{"email", "an e-mail address"}, {"ip", "an IPv4 address"}},
          {},
          {{"emails", OptionKind::kSwitch, "yes", "replace e-mail addresses"},
           {"ips", OptionKind::kSwitch, "yes", "replace IPv4 addresses"},
           {"public-only", OptionKind::kSwitch, "yes",
            "of IPv4 addresses only those that can be reached from anywhere"}},
          [](const OptionValues& options) { return std::make_unique<Pii>(options); }};
}

}  // namespace lm::clean
