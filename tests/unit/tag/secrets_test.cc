
#include "core/str.h"
#include "tag/secret_match.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

TagSettings dolma() {
  TagSettings settings;
  settings.dolma = true;
  return settings;
}

/// TYPE:VALUE of every hit.
std::vector<std::string> secrets(const std::string& text, const TagSettings& settings = {}) {
  std::vector<std::string> out;
  for (const auto& [type, spans] : found("code_secrets_v1", text, settings)) {
    if (type == "doc") continue;
    for (const text::ScoredSpan& span : spans)
      out.push_back(
          cat(type.substr(7), ":", text.substr(usize(span.begin), usize(span.end - span.begin))));
  }
  return out;
}
using Found = std::vector<std::string>;

std::string times(std::string_view part, i64 count) {
  std::string out;
  for (i64 i = 0; i < count; ++i)
    out += part;
  return out;
}

}  // namespace

TEST_CASE("tokens of fixed form are found with their sizes", "[tag]") {
  const std::string alnum36 = "a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8";
  const std::string hex64 = times("0a1b2c3d", 8);
  CHECK(secrets("AKIAQWERTYUIOPASDFGH") == Found{"AWS_Access_Key:AKIAQWERTYUIOPASDFGH"});
  CHECK(secrets("AKIAQWERTYUIOPASDFG").empty());
  CHECK(secrets("aws_token x '" + times("aB3/", 10) + "'") ==
        Found{"AWS_Access_Key:" + times("aB3/", 10)});
  CHECK(secrets("AccountKey=" + times("aB3+", 22)) ==
        Found{"Azure_Storage_Account_access_key:AccountKey=" + times("aB3+", 22),
              "Secret_Keyword:" + times("aB3+", 22)});
  CHECK(secrets("http://me:pw1@host") == Found{"Basic_Auth_Credentials:pw1"});
  CHECK(secrets("cl_apikey = \"" + hex64 + "\"")[0] == "Cloudant_Credentials:" + hex64);
  CHECK(secrets("M" + times("a", 23) + ".abcdef." + times("b", 27)) ==
        Found{"Discord_Bot_Token:M" + times("a", 23) + ".abcdef." + times("b", 27)});
  CHECK(secrets("(ghp_" + alnum36 + ")") == Found{"GitHub_Token:ghp_" + alnum36});
  CHECK(secrets("glpat-" + times("a1", 10)) == Found{"GitLab_Token:glpat-" + times("a1", 10)});
  CHECK(secrets("glpat-" + times("a1", 9)).empty());
  CHECK(secrets("iam_key: " + times("a1-_", 11)) ==
        Found{"IBM_Cloud_IAM_Key:" + times("a1-_", 11)});
  CHECK(secrets("cos_secret_key=" + times("0a", 24)) ==
        Found{"IBM_COS_HMAC_Credentials:" + times("0a", 24), "Secret_Keyword:" + times("0a", 24)});
  CHECK(secrets("eyJhIjoxfQ.eyJiIjoyfQ.c2ln") ==
        Found{"JSON_Web_Token:eyJhIjoxfQ.eyJiIjoyfQ.c2ln"});
  CHECK(secrets("eyJhIjoxfQ.e.c2ln").empty());
  CHECK(secrets(times("0a", 16) + "-us12") ==
        Found{"Mailchimp_Access_Key:" + times("0a", 16) + "-us12"});
  CHECK(secrets("//r.org/:_authToken=npm_x y") == Found{"NPM_tokens:npm_x y"});
  CHECK(secrets("sk-" + times("a", 20) + "T3BlbkFJ" + times("b", 20)) ==
        Found{"OpenAI_Token:sk-" + times("a", 20) + "T3BlbkFJ" + times("b", 20)});
  CHECK(secrets("-----BEGIN EC PRIVATE KEY-----") == Found{"Private_Key:BEGIN EC PRIVATE KEY"});
  CHECK(secrets("SG." + times("a", 22) + "." + times("b", 43)) ==
        Found{"SendGrid_API_Key:SG." + times("a", 22) + "." + times("b", 43)});
  CHECK(secrets("xoxb-12-34-") == Found{"Slack_Token:xoxb-12-34"});
  CHECK(secrets("XOXB-12-ab") == Found{"Slack_Token:XOXB-12-ab"});
  CHECK(secrets("https://hooks.slack.com/services/Ta/Bb/c") ==
        Found{"Slack_Token:https://hooks.slack.com/services/Ta/Bb/c"});
  CHECK(secrets("https://api.softlayer.com/soap/v3.1/" + hex64) ==
        Found{"SoftLayer_Credentials:" + hex64});
  CHECK(secrets("sq0csp-" + times("a", 43)) ==
        Found{"Square_OAuth_Secret:sq0csp-" + times("a", 43)});
  CHECK(secrets("rk_live_" + times("a", 24)) ==
        Found{"Stripe_Access_Key:rk_live_" + times("a", 24)});
  CHECK(secrets("12345678:" + times("a", 35)) ==
        Found{"Telegram_Bot_Token:12345678:" + times("a", 35)});
  CHECK(secrets("x1234567:" + times("a", 35)).empty());
  CHECK(secrets("AC" + times("0a", 16)) == Found{"Twilio_API_Key:AC" + times("0a", 16)});
}

TEST_CASE("what is given to a name of a secret is one", "[tag]") {
  CHECK(secrets("password: hunter2 # x") == Found{"Secret_Keyword:hunter2 # x"});
  CHECK(secrets("my_password_2 = 'a b'") == Found{"Secret_Keyword:a b"});
  CHECK(secrets("pwd==='x1'") == Found{"Secret_Keyword:x1"});
  CHECK(secrets("pwd====x1").empty());
  CHECK(secrets("if ('x1y' == db_pass)") == Found{"Secret_Keyword:x1y"});
  CHECK(secrets("if ('x1y' == DB_PASS)").empty());
  CHECK(secrets("private_key of it \"some thing\";").empty());
  CHECK(secrets("private_key \"some thing\";") == Found{"Secret_Keyword:some thing"});
  CHECK(secrets("secret: `a`b`") == Found{"Secret_Keyword:a`b"});
  CHECK(secrets("secret: ${HOME}").empty());
  CHECK(secrets("secret = get(x)").empty());
}

TEST_CASE("strings of much entropy are found in quotes", "[tag]") {
  // 16 characters that all differ: log2 16 = 4 bits.
  CHECK(base64_entropy("0123456789abcdef") == Approx(4));
  CHECK(hex_entropy("0123456789abcdef") == Approx(4));
  // log2 10 - 1.2 / log2 10, since it is a number.
  CHECK(hex_entropy("0123456789") == Approx(3.32193 - 1.2 / 3.32193));
  CHECK(secrets("x '8f14e45fceea167a5a36dedd4bea2543'") ==
        Found{"Hex_High_Entropy_String:8f14e45fceea167a5a36dedd4bea2543"});
  CHECK(secrets("x 8f14e45fceea167a5a36dedd4bea2543").empty());
  CHECK(secrets("user_id = '8f14e45fceea167a5a36dedd4bea2543'").empty());
}

TEST_CASE("a line may be allowed by a comment", "[tag]") {
  CHECK(secrets("password: hunter2 # pragma: allowlist secret").empty());
  CHECK(secrets("# pragma: allowlist nextline secret\npassword: hunter2").empty());
  CHECK(secrets("password: hunter2 pragma: allowlist secret").size() == 1);
  CHECK(secrets("password: hunter2 /* pragma: whitelist secret */").empty());
}

TEST_CASE("D-09: a secret stands on its own line, every time", "[tag]") {
  // The second line is a part of the first.
  const std::string text = "x http://a:pw1@b\nhttp://a:pw1@b\n";
  using All = std::map<std::string, Spans>;
  All all = found("code_secrets_v1", text);
  CHECK(all["SECRET_Basic_Auth_Credentials"] == Spans{{11, 14, 1}, {26, 29, 1}});
  CHECK(value(all, "doc") == Approx(2.0 / 3));
  const std::string allowed = "# http://a:pw1@b # pragma: allowlist secret\nhttp://a:pw1@b";
  all = found("code_secrets_v1", allowed);
  CHECK(all["SECRET_Basic_Auth_Credentials"] == Spans{{53, 56, 1}});
  all = found("code_secrets_v1", allowed, dolma());
  CHECK(all["SECRET_Basic_Auth_Credentials"] == Spans{{11, 14, 1}});
  // Of a token the reference sees the prefix.
  const std::string token = "ghp_a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8";
  CHECK(secrets(token, dolma()) == Found{"GitHub_Token:ghp"});
  CHECK(value(found("code_secrets_v1", ""), "doc") == -1);
}

TEST_CASE("lines made to trap patterns take no more than their length", "[tag]") {
  for (const char* const part : {"eyJ", "xoxb-1-", "secret", "secret:`a,`", "://a:", "'a",
                                 "password=\"", "sk-T3BlbkFJ", "aws key", "//:_authToken=", "AKC",
                                 "glagent-", "key ", "a=b(", "\"`", "[!=]", "gh", "_id"}) {
    // Instants for a scan along the line, hours for a square of its length: the runner's limit ends
    // those.
    const std::string text = times(part, 4000000 / isize(std::string_view(part)));
    INFO(part);
    for (const auto& [name, spans] : found("code_secrets_v1", text)) {
      for (const auto& span : spans) {
        if (span.begin < 0 || span.begin >= span.end || span.end > isize(text)) FAIL(name);
      }
    }
  }
}
