#include "tag/secret_match.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/str.h"
#include "tag/ascii_class.h"
#include "tag/secret_assign.h"
#include "tag/secret_forms.h"
#include "text/aho_corasick.h"
#include "text/segment.h"

namespace lm::tag {

namespace {

constexpr std::array<std::string_view, kSecrets> kNames = {"Artifactory Credentials",
                                                           "AWS Access Key",
                                                           "Azure Storage Account access key",
                                                           "Base64 High Entropy String",
                                                           "Basic Auth Credentials",
                                                           "Cloudant Credentials",
                                                           "Discord Bot Token",
                                                           "GitHub Token",
                                                           "GitLab Token",
                                                           "Hex High Entropy String",
                                                           "IBM Cloud IAM Key",
                                                           "IBM COS HMAC Credentials",
                                                           "JSON Web Token",
                                                           "Mailchimp Access Key",
                                                           "NPM tokens",
                                                           "OpenAI Token",
                                                           "Private Key",
                                                           "PyPI Token",
                                                           "SendGrid API Key",
                                                           "Slack Token",
                                                           "SoftLayer Credentials",
                                                           "Square OAuth Secret",
                                                           "Stripe Access Key",
                                                           "Telegram Bot Token",
                                                           "Twilio API Key",
                                                           "Secret Keyword"};

// Characters, and of which kind, of Cloudant's passwords and keys.
constexpr std::pair<i64, u16> kCloudantForms[] = {{64, kHexDigit}, {24, kAlpha}};
constexpr f64 kBase64Limit = 4.5;  // bits per character
constexpr f64 kHexLimit = 3.0;

constexpr i64 kFixedCount = static_cast<i64>(std::size(kFixed));

const text::AhoCorasick& fixed_strings() {
  static const text::AhoCorasick all = [] {
    std::vector<std::string_view> texts;
    for (const FixedString& fixed : kFixed)
      texts.push_back(fixed.text);
    return text::AhoCorasick(texts, true);
  }();
  return all;
}

// As urlsafe_b64decode has it: other characters are passed over, what follows complete padding is
// not read. False for a torn group of four.
bool decode_base64(std::string_view in, std::string& out) {
  out.clear();
  u32 bits = 0;
  i64 place = 0;  // in a group of four
  i64 pads = 0;
  for (const char c : in) {
    if (c == '=') {
      if (place >= 2 && place + ++pads >= 4) return true;
      continue;
    }
    u32 value = 0;
    if (is_in(c, kUp)) {
      value = static_cast<u32>(c - 'A');
    } else if (is_in(c, kLow)) {
      value = static_cast<u32>(c - 'a') + 26;
    } else if (is_in(c, kDigit)) {
      value = static_cast<u32>(c - '0') + 52;
    } else if (c == '-' || c == '+') {
      value = 62;
    } else if (c == '_' || c == '/') {
      value = 63;
    } else {
      continue;
    }
    pads = 0;
    bits = bits << 6 | value;
    if (place > 0) out.push_back(static_cast<char>(bits >> (6 - 2 * place) & 0xFF));
    place = (place + 1) % 4;
  }
  return place == 0;
}

/// Each part decodes, and the first two are JSON.
bool is_web_token(std::string_view token) {
  std::string bytes;
  i64 number = 0;
  for (const std::string_view part : split(token, '.')) {
    if (part.size() % 4 == 1) return false;
    std::string padded(part);
    padded.append(part.size() % 4 == 2 ? 2 : part.size() % 4 == 3 ? 3 : 0, '=');
    if (!decode_base64(padded, bytes)) return false;
    if (number++ < 2 && !nlohmann::json::accept(bytes)) return false;
  }
  return true;
}

class LineScan {
 public:
  LineScan(std::string_view line, std::vector<SecretMatch>& out) : line_(line), out_(out) {}

  void anchor(const FixedString& fixed, i64 begin, i64 end) {
    if (!fixed.any_case && line_.substr(usize(begin), fixed.text.size()) != fixed.text) return;
    switch (fixed.form) {
      case SecretForm::kQuote:
      case SecretForm::kName:
        return;
      case SecretForm::kArtifactoryToken:
        return artifactory(fixed.form, begin, end, 10);
      case SecretForm::kArtifactoryPassword:
        if (char_at(line_, end) <= 'F' && is_in(char_at(line_, end), kHexDigit))
          artifactory(fixed.form, begin, end + 1, 8);
        return;
      case SecretForm::kAwsId:
        return aws_id(begin, fixed.text.size() == 3 ? end + 1 : end);
      case SecretForm::kAwsName:
        return aws_name(begin, end);
      case SecretForm::kAzure:
        return fixed_size(Secret::kAzure, fixed.form, begin, end, 88,
                          kAlnum | kPlusSlash | kEquals);
      case SecretForm::kScheme:
        return scheme(begin, end);
      case SecretForm::kGithub:
        if (free(fixed.form, begin) && run_of(line_, end, 36, kAlnum | kUnder))
          put(Secret::kGithub, fixed.form, {begin, end + 36}, {begin, begin + 3});
        return;
      case SecretForm::kGitlab:
        return gitlab(fixed, begin, end);
      case SecretForm::kAssigned:
        return assigned(begin, end);
      case SecretForm::kJwt:
        return web_token(begin, end);
      case SecretForm::kMailchimp:
        return mailchimp(begin, end);
      case SecretForm::kNpm:
        npm_.push_back(end);
        return;
      case SecretForm::kOpenAi:
        return open_ai(begin, end);
      case SecretForm::kPrivateKey:
        return put(Secret::kPrivateKey, fixed.form, {begin, end});
      case SecretForm::kPypi:
        if (const i64 last = run_end(line_, end, kToken);
            last >= end + fixed.least && free(fixed.form, begin))
          put(Secret::kPypi, fixed.form, {begin, last});
        return;
      case SecretForm::kSendGrid:
        if (run_of(line_, end, 22, kToken) && char_at(line_, end + 22) == '.')
          fixed_size(Secret::kSendGrid, fixed.form, begin, end + 23, 43, kToken);
        return;
      case SecretForm::kSlackToken:
        return slack_token(begin, end);
      case SecretForm::kSlackHook:
        return slack_hook(begin, end);
      case SecretForm::kSoftLayer:
        return soft_layer(begin, end);
      case SecretForm::kSquare:
        return fixed_size(Secret::kSquare, fixed.form, begin, end, 43, kToken | kBackslash);
      case SecretForm::kStripe:
        return fixed_size(Secret::kStripe, fixed.form, begin, end, 24, kAlnum);
      case SecretForm::kTwilio:
        return fixed_size(Secret::kTwilio, fixed.form, begin, end, 32, kLow | kDigit);
    }
  }

  /// What no fixed string begins.
  void rest(bool quotes) {
    npm();
    discord();
    telegram();
    if (quotes) {
      random(Secret::kBase64, kAlnum | kPlusSlash | kBackslash | kDash | kUnder | kEquals);
      random(Secret::kHex, kHexDigit);
    }
  }

 private:
  /// Matches of an expression do not overlap.
  bool free(SecretForm form, i64 begin) const {
    return begin >= last_[static_cast<std::size_t>(form)];
  }
  void put(Secret secret, SecretForm form, Range value) { put(secret, form, value, value); }
  void put(Secret secret, SecretForm form, Range value, Range reported) {
    last_[static_cast<std::size_t>(form)] = value.end;
    out_.push_back({secret, value, reported});
  }

  void fixed_size(Secret secret, SecretForm form, i64 begin, i64 end, i64 count, u16 set) {
    if (free(form, begin) && run_of(line_, end, count, set))
      put(secret, form, {begin, end + count});
  }

  void artifactory(SecretForm form, i64 begin, i64 end, i64 least) {
    i64 first = begin;
    if (begin > 0) {
      do
        --first;
      while ((static_cast<u8>(line_[usize(first)]) & 0xC0) == 0x80);
      const char before = line_[usize(first)];
      if (before != '=' && before != ':' && before != '"' && text::py_space_size(line_, first) == 0)
        return;
    }
    if (!free(form, first)) return;
    const i64 last = run_end(line_, end, kAlnum);
    if (last - end < least) return;
    i64 behind = last;
    if (last < isize(line_)) {
      behind += line_[usize(last)] == '"' ? 1 : text::py_space_size(line_, last);
      if (behind == last) return;
    }
    // The expression takes the delimiters in.
    put(Secret::kArtifactory, form, {begin, last}, {first, behind});
    last_[static_cast<std::size_t>(form)] = behind;
  }

  void aws_id(i64 begin, i64 end) {
    if (end - begin == 4 && is_in(char_at(line_, end - 1), kUp | kDigit))
      fixed_size(Secret::kAws, SecretForm::kAwsId, begin, end, 16, kUp | kDigit);
  }

  /// Offsets of the 0 to 20 characters behind at.
  std::vector<i64> window(i64 at) const {
    std::vector<i64> places;
    for (i64 n = 0; n <= 20; ++n) {
      places.push_back(at);
      if (at == isize(line_)) break;
      do
        ++at;
      while (at < isize(line_) && (static_cast<u8>(line_[usize(at)]) & 0xC0) == 0x80);
    }
    return places;
  }

  void aws_name(i64 begin, i64 end) {
    if (!free(SecretForm::kAwsName, begin)) return;
    for (const i64 at : window(end)) {
      for (const char* const word : {"key", "pwd", "pw", "password", "pass", "token"}) {
        if (!has_nocase(line_, at, word)) continue;
        for (const i64 quote : window(at + isize(std::string_view(word)))) {
          const char c = char_at(line_, quote);
          const char behind = char_at(line_, quote + 41);
          if ((c != '"' && c != '\'') || (behind != '"' && behind != '\'') ||
              !run_of(line_, quote + 1, 40, kAlnum | kPlusSlash))
            continue;
          put(Secret::kAws, SecretForm::kAwsName, {quote + 1, quote + 41});
          last_[static_cast<std::size_t>(SecretForm::kAwsName)] = quote + 42;
          return;
        }
      }
    }
  }

  /// End of the run of what may stand in a user's name or password in front of a host.
  i64 plain_end(i64 at) const {
    while (at < isize(line_)) {
      const char c = line_[usize(at)];
      if (std::string_view(":/?#[]@!$&'()*+,;=").find(c) != std::string_view::npos) break;
      if (text::py_space_size(line_, at) > 0) break;
      do
        ++at;
      while (at < isize(line_) && (static_cast<u8>(line_[usize(at)]) & 0xC0) == 0x80);
    }
    return at;
  }

  void scheme(i64 begin, i64 end) {
    const i64 user = plain_end(end);
    if (user > end && char_at(line_, user) == ':') {
      const i64 last = plain_end(user + 1);
      if (last > user + 1 && char_at(line_, last) == '@')
        put(Secret::kBasicAuth, SecretForm::kScheme, {user + 1, last});
    }
    cloudant_url(begin, end);
  }

  void cloudant_url(i64 begin, i64 end) {
    if (!has_nocase(line_, begin - 4, "http") && !has_nocase(line_, begin - 5, "https")) return;
    const i64 colon = word_run_end(line_, end);
    if (colon == end || char_at(line_, colon) != ':') return;
    for (const auto& [count, set] : kCloudantForms) {
      const i64 at = colon + 1 + count;
      if (!run_of(line_, colon + 1, count, set) || char_at(line_, at) != '@') continue;
      const i64 dot = word_run_end(line_, at + 1);
      if (dot > at + 1 && has_nocase(line_, dot, ".cloudant.com"))
        out_.push_back({Secret::kCloudant, {colon + 1, at}, {colon + 1, at}});
    }
  }

  void gitlab(const FixedString& fixed, i64 begin, i64 end) {
    if (begin < gitlab_last_) return;
    const bool ci = fixed.text == "glcbt-";
    const bool part = ci && run_of(line_, end, 2, kHexDigit) && char_at(line_, end + 2) == '_';
    for (const i64 first : {part ? end + 3 : end, end}) {
      i64 last = run_end(line_, first, kToken, fixed.most);
      while (last - first >= fixed.least && py_word_size(line_, last) > 0)
        --last;
      if (last - first < fixed.least) continue;
      Range reported{begin, last};
      if (ci) reported = {end, first};  // of an expression with one group findall gives the group
      if (fixed.least == 20 && fixed.text[0] == 'g' && !ci) reported = {begin, end - 1};
      out_.push_back({Secret::kGitlab, {begin, last}, reported});
      gitlab_last_ = last;
      return;
    }
  }

  void assigned(i64 begin, i64 end) {
    const i64 value = assigned_value(line_, end);
    if (value < 0) return;
    const std::string_view name = line_.substr(usize(begin), usize(end - begin));
    const i64 size = run_end(line_, value, kToken, 65) - value;
    if (size < 24) return;
    const bool pw = has_nocase(name, 0, "pw") && name.size() == 2;
    if (!pw && size == 44 && is_ibm_iam_name(line_, begin))
      out_.push_back({Secret::kIbmIam, {value, value + 44}, {value, value + 44}});
    if (has_nocase(name, 0, "key") && run_end(line_, value, kHexDigit, 49) == value + 48 &&
        is_ibm_cos_name(line_, begin))
      out_.push_back({Secret::kIbmCos, {value, value + 48}, {value, value + 48}});
    if (!pw && run_of(line_, value, 64, kAlnum) && is_soft_layer_name(line_, begin))
      out_.push_back({Secret::kSoftLayer, {value, value + 64}, {value, value + 64}});
    for (const auto& [count, set] : kCloudantForms) {
      if (run_of(line_, value, count, set) && is_cloudant_name(line_, begin))
        out_.push_back({Secret::kCloudant, {value, value + count}, {value, value + count}});
    }
  }

  void web_token(i64 begin, i64 end) {
    if (!free(SecretForm::kJwt, begin)) return;
    // Tokens may begin anywhere in one run.
    if (end > run_) run_ = run_end(line_, end, kToken | kEquals);
    const i64 dot = run_;
    if (dot == end || char_at(line_, dot) != '.') return;
    i64 last = run_end(line_, dot + 1, kToken | kEquals);
    if (last == dot + 1) return;
    const bool signature = char_at(line_, last) == '.';
    const Range reported{begin, last + signature};
    last_[static_cast<std::size_t>(SecretForm::kJwt)] = reported.end;
    if (!is_web_token(line_.substr(usize(begin), usize(reported.size())))) return;
    // The expression's last part matches as little as it can, which is nothing.
    if (signature) last = run_end(line_, last + 1, kToken | kDot | kPlusSlash | kEquals);
    out_.push_back({Secret::kJwt, {begin, last}, reported});
  }

  void mailchimp(i64 begin, i64 end) {
    const i64 first = begin - 32;
    if (!run_of(line_, first, 32, kLow | kDigit) || !free(SecretForm::kMailchimp, first)) return;
    const i64 last = run_end(line_, end, kDigit, 2);
    if (last > end) put(Secret::kMailchimp, SecretForm::kMailchimp, {first, last});
  }

  /// Of several addresses in a line the last one whose token has the form.
  void npm() {
    const std::size_t slashes = npm_.empty() ? std::string_view::npos : line_.find("//");
    if (slashes == std::string_view::npos) return;
    for (std::size_t i = npm_.size(); i-- > 0;) {
      const i64 begin = npm_[i] - 13;  // of /:_authToken=
      if (static_cast<i64>(slashes) + 3 > begin) return;
      i64 at = npm_[i];
      while (const i64 space = text::py_space_size(line_, at))
        at += space;
      i64 last = isize(line_);
      if (!has_at(line_, at, "npm_") || last == at + 4) {
        last = at + 36;
        if (!run_of(line_, at, 36, kHexDigit | kDash)) continue;
      }
      out_.push_back({Secret::kNpm, {at, last}, {at, last}});
      return;
    }
  }

  void open_ai(i64 begin, i64 end) {
    if (begin < run_openai_) return;
    const i64 first = run_begin(line_, begin, kToken, run_openai_);
    const i64 behind = run_end(line_, end, kToken);
    run_openai_ = behind;
    const std::string_view run = line_.substr(0, usize(behind));
    i64 from = first;
    while (true) {
      const std::size_t prefix = run.find("sk-", usize(from));
      if (prefix == std::string_view::npos) return;
      const i64 start = static_cast<i64>(prefix);
      std::size_t mark = run.rfind("T3BlbkFJ");
      while (mark != std::string_view::npos && static_cast<i64>(mark) >= start + 23 &&
             !(run_of(run, static_cast<i64>(mark) - 20, 20, kAlnum) &&
               run_of(run, static_cast<i64>(mark) + 8, 20, kAlnum)))
        mark = run.rfind("T3BlbkFJ", mark - 1);
      if (mark == std::string_view::npos || static_cast<i64>(mark) < start + 23) return;
      from = static_cast<i64>(mark) + 28;
      out_.push_back({Secret::kOpenAi, {start, from}, {start, from}});
    }
  }

  void slack_token(i64 begin, i64 end) {
    if (!free(SecretForm::kSlackToken, begin)) return;
    i64 before = -1;  // start of the last number with a dash
    i64 at = end;
    for (i64 digits = run_end(line_, at, kDigit); digits > at && char_at(line_, digits) == '-';
         digits = run_end(line_, at, kDigit)) {
      if (at > end) before = at;
      at = digits + 1;
    }
    if (at == end) return;
    i64 last = run_end(line_, at, kAlnum);
    if (last == at) {
      if (before < 0) return;
      last = at - 1;  // the last number stands for the token
    }
    put(Secret::kSlack, SecretForm::kSlackToken, {begin, last});
  }

  void slack_hook(i64 begin, i64 end) {
    const i64 team = run_end(line_, end, kAlnum | kUnder);
    if (team == end || !has_nocase(line_, team, "/b")) return;
    const i64 bot = run_end(line_, team + 2, kAlnum | kUnder);
    if (bot == team + 2 || char_at(line_, bot) != '/') return;
    const i64 last = run_end(line_, bot + 1, kAlnum | kUnder);
    if (last > bot + 1) put(Secret::kSlack, SecretForm::kSlackHook, {begin, last});
  }

  void soft_layer(i64 begin, i64 end) {
    // http://api.softlayer.com/soap/v3/ where a dot of the expression is any character.
    if (!has_nocase(line_, begin - 7, "://api") ||
        (!has_nocase(line_, begin - 11, "http") && !has_nocase(line_, begin - 12, "https")) ||
        !has_nocase(line_, end + 1, "com/soap/v3"))
      return;
    i64 at = end + 12;
    if (char_at(line_, at) != '/' && char_at(line_, at + 1) == '1') at += 2;
    if (char_at(line_, at) == '/' && run_of(line_, at + 1, 64, kAlnum))
      out_.push_back({Secret::kSoftLayer, {at + 1, at + 65}, {at + 1, at + 65}});
  }

  void discord() {
    constexpr i64 kLeast = 59;  // characters of the shortest token
    if (isize(line_) < kLeast) return;
    i64 from = 0;
    for (std::size_t found = line_.find('.', 24); found != std::string_view::npos;
         found = line_.find('.', found + 1)) {
      const i64 dot = static_cast<i64>(found);
      if (char_at(line_, dot + 7) != '.' || !run_of(line_, dot + 1, 6, kToken) ||
          !run_of(line_, dot + 8, 27, kToken))
        continue;
      const i64 first = run_begin(line_, dot, kToken, std::max(from, dot - 26));
      for (i64 begin = first; begin <= dot - 24; ++begin) {
        const char c = line_[usize(begin)];
        if (c != 'M' && c != 'N' && c != 'O') continue;
        out_.push_back({Secret::kDiscord, {begin, dot + 35}, {begin, dot + 35}});
        from = dot + 35;
        break;
      }
    }
  }

  void telegram() {
    i64 from = 0;
    for (std::size_t found = line_.find(':', 8); found != std::string_view::npos;
         found = line_.find(':', found + 1)) {
      const i64 colon = static_cast<i64>(found);
      const i64 begin = run_begin(line_, colon, kDigit, std::max(from, colon - 10));
      if (colon - begin < 8 || !run_of(line_, colon + 1, 35, kToken)) continue;
      from = colon + 36;
      out_.push_back({Secret::kTelegram, {begin, from}, {begin, from}});
    }
  }

  void random(Secret secret, u16 set) {
    for (std::size_t found = line_.find_first_of("'\""); found != std::string_view::npos;) {
      const i64 quote = static_cast<i64>(found);
      const i64 last = run_end(line_, quote + 1, set);
      if (last == quote + 1 || char_at(line_, last) != line_[found]) {
        found = line_.find_first_of("'\"", usize(last));
        continue;
      }
      const std::string_view value = line_.substr(found + 1, usize(last - quote - 1));
      const bool odd = secret == Secret::kHex ? hex_entropy(value) > kHexLimit
                                              : base64_entropy(value) > kBase64Limit;
      if (odd) out_.push_back({secret, {quote + 1, last}, {quote + 1, last}});
      found = line_.find_first_of("'\"", usize(last + 1));
    }
  }

  std::string_view line_;
  std::vector<SecretMatch>& out_;
  std::array<i64, 32> last_{};  // end of an expression's last match
  i64 gitlab_last_ = 0;
  i64 run_ = 0;
  i64 run_openai_ = 0;
  std::vector<i64> npm_;
};

f64 entropy(std::string_view value, std::string_view characters) {
  std::array<i64, 256> counts{};
  for (const char c : value)
    ++counts[static_cast<u8>(c)];
  f64 sum = 0;
  for (const char c : characters) {
    const i64 count = counts[static_cast<u8>(c)];
    if (count == 0) continue;
    const f64 p = static_cast<f64>(count) / static_cast<f64>(value.size());
    sum += -p * (std::log(p) / std::log(2.0));
  }
  return sum;
}

}  // namespace

std::string_view secret_name(Secret secret) {
  return kNames[static_cast<std::size_t>(secret)];
}

bool has_fixed_form(Secret secret) {
  return secret != Secret::kBase64 && secret != Secret::kHex && secret != Secret::kKeyword;
}

f64 base64_entropy(std::string_view value) {
  return entropy(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/\\-_=");
}

f64 hex_entropy(std::string_view value) {
  const f64 sum = entropy(value, "0123456789abcdefABCDEF");
  // A number is less of a surprise, the shorter the less; the factor is the detector's. More digits
  // than these its language does not take for a number.
  constexpr std::size_t kMostDigits = 4300;
  const bool number = value.size() <= kMostDigits && run_of(value, 0, isize(value), kDigit);
  if (!number || value.size() < 2) return sum;
  return sum - 1.2 / (std::log(static_cast<f64>(value.size())) / std::log(2.0));
}

void find_anchors(std::string_view text, std::vector<Anchor>& out) {
  out.clear();
  fixed_strings().find(text, [&](i64 pattern, i64 end) {
    out.push_back({end, static_cast<u16>(pattern)});
    return true;
  });
}

void find_secrets(std::string_view line, std::span<const Anchor> anchors,
                  std::vector<SecretMatch>& out) {
  static_assert(kFixedCount < 65536);
  LineScan scan(line, out);
  std::vector<NameAt> names;
  bool quotes = false;
  for (const Anchor& anchor : anchors) {
    const FixedString& fixed = kFixed[anchor.which];
    const i64 begin = anchor.end - isize(fixed.text);
    quotes = quotes || fixed.form == SecretForm::kQuote;
    if (fixed.form == SecretForm::kName) {
      const bool same = line.substr(usize(begin), fixed.text.size()) == fixed.text;
      names.push_back({anchor.end, same && is_in(fixed.text[0], kLow)});
    }
    scan.anchor(fixed, begin, anchor.end);
  }
  scan.rest(quotes);
  if (!names.empty()) find_named_secrets(line, names, out);
}

}  // namespace lm::tag
