#include "tag/secret_assign.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tag/ascii_class.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

namespace {

/// Places that a name may begin at, going back from a known one. The names are short, so the sets
/// are small.
class Backward {
 public:
  Backward(std::string_view s, i64 at) : s_(s), places_{at} {}

  Backward& maybe(std::initializer_list<std::string_view> texts) {
    const std::vector<i64> before = places_;
    add(before, texts);
    return *this;
  }
  Backward& one_of(std::initializer_list<std::string_view> texts) {
    const std::vector<i64> before = std::move(places_);
    places_.clear();
    add(before, texts);
    return *this;
  }
  Backward& dash() { return maybe({"-", "_"}); }
  Backward& join(const Backward& other) {
    places_.insert(places_.end(), other.places_.begin(), other.places_.end());
    return *this;
  }
  bool at_boundary() {
    maybe({"\"", "'"}).maybe({"["});
    return std::any_of(places_.begin(), places_.end(),
                       [&](i64 at) { return !py_word_before(s_, at); });
  }

 private:
  void add(const std::vector<i64>& from, std::initializer_list<std::string_view> texts) {
    for (const i64 at : from) {
      for (const std::string_view text : texts) {
        const i64 begin = at - isize(text);
        if (has_nocase(s_, begin, text) &&
            std::find(places_.begin(), places_.end(), begin) == places_.end())
          places_.push_back(begin);
      }
    }
  }

  std::string_view s_;
  std::vector<i64> places_;
};

}  // namespace

i64 py_word_size(std::string_view s, i64 at) {
  if (at >= isize(s)) return 0;
  const char c = s[usize(at)];
  if (static_cast<u8>(c) < 0x80) return is_in(c, kAlnum | kUnder);
  const char* p = s.data() + at;
  return text::is_alnum(text::next_valid(p)) ? p - (s.data() + at) : 0;
}

bool py_word_before(std::string_view s, i64 at) {
  if (at == 0) return false;
  do
    --at;
  while (at > 0 && (static_cast<u8>(s[usize(at)]) & 0xC0) == 0x80);
  return py_word_size(s, at) > 0;
}

i64 word_run_end(std::string_view s, i64 at) {
  while (at < isize(s)) {
    const i64 size = s[usize(at)] == '-' ? 1 : py_word_size(s, at);
    if (size == 0) break;
    at += size;
  }
  return at;
}

i64 assigned_value(std::string_view s, i64 at) {
  const auto quote = [&] { at += char_at(s, at) == '"' || char_at(s, at) == '\''; };
  const auto blanks = [&] {
    const i64 first = at;
    while (char_at(s, at) == ' ')
      ++at;
    return at > first;
  };
  quote();
  at += char_at(s, at) == ']';
  const bool spaced = blanks();
  const char op = char_at(s, at);
  if (op == '=') {
    at += char_at(s, at + 1) == '>' ? 2 : 1;
  } else if (op == ':') {
    at += char_at(s, at + 1) == '=' || char_at(s, at + 1) == ':' ? 2 : 1;
  } else if (!spaced) {
    return -1;
  }
  blanks();
  quote();
  return at;
}

bool is_ibm_iam_name(std::string_view s, i64 at) {
  Backward name(s, at);
  name.dash().maybe({"api"}).dash();
  return name
      .maybe({"ibm_cloud_iam", "ibm_cloud-iam", "ibm_cloudiam", "ibm-cloud_iam", "ibm-cloud-iam",
              "ibm-cloudiam",  "ibmcloud_iam",  "ibmcloud-iam", "ibmcloudiam",   "cloud_iam",
              "cloud-iam",     "cloudiam",      "ibm_cloud",    "ibm-cloud",     "ibmcloud",
              "ibm_iam",       "ibm-iam",       "ibmiam",       "ibm",           "iam",
              "cloud"})
      .at_boundary();
}

bool is_ibm_cos_name(std::string_view s, i64 at) {
  Backward name(s, at);
  name.dash().maybe({"access"}).dash().one_of({"secret"}).dash();
  Backward cos = name;
  cos.maybe({"hmac"}).dash().one_of({"cos"}).dash().maybe({"ibm"});
  return name.join(cos).at_boundary();
}

bool is_soft_layer_name(std::string_view s, i64 at) {
  return Backward(s, at).dash().maybe({"api"}).dash().one_of({"softlayer", "sl"}).at_boundary();
}

bool is_cloudant_name(std::string_view s, i64 at) {
  return Backward(s, at).maybe({"api"}).dash().one_of({"cloudant", "clou", "cl"}).at_boundary();
}

}  // namespace lm::tag
