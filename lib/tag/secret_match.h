#pragma once
// Passwords, keys and tokens in the lines of a text: what the detectors of Yelp's detect-secrets
// 1.5.0 match with their expressions, found from fixed strings on (one pass) and by scanners that
// read no byte more than a few times. Its detector of public addresses is left out: its own filters
// drop every hit, since an address has no letter.

#include <span>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "tag/pieces.h"

namespace lm::tag {

enum class Secret : u8 {
  kArtifactory,
  kAws,
  kAzure,
  kBase64,
  kBasicAuth,
  kCloudant,
  kDiscord,
  kGithub,
  kGitlab,
  kHex,
  kIbmIam,
  kIbmCos,
  kJwt,
  kMailchimp,
  kNpm,
  kOpenAi,
  kPrivateKey,
  kPypi,
  kSendGrid,
  kSlack,
  kSoftLayer,
  kSquare,
  kStripe,
  kTelegram,
  kTwilio,
  kKeyword,
};
inline constexpr i64 kSecrets = 26;

/// The type as detect-secrets calls it.
std::string_view secret_name(Secret secret);
/// True for those that expressions of fixed form find, not entropy or the name of a variable.
bool has_fixed_form(Secret secret);

struct SecretMatch {
  Secret secret;
  Range value;     // what is secret
  Range reported;  // what detect-secrets takes for it: of some tokens the prefix alone
};

/// Appends the matches in line, which has no line end and no white space behind it. anchors:
/// offsets and numbers of the fixed strings in it, as find_anchors gives them, moved to the line.
struct Anchor {
  i64 end;
  u16 which;
};
void find_anchors(std::string_view text, std::vector<Anchor>& out);
void find_secrets(std::string_view line, std::span<const Anchor> anchors,
                  std::vector<SecretMatch>& out);

/// The first match of each of the detector's expressions for values that are given to a name such
/// as password. names: of such names in line, by rising end.
struct NameAt {
  i64 end;
  bool lower;  // written in lower case
};
void find_named_secrets(std::string_view line, std::span<const NameAt> names,
                        std::vector<SecretMatch>& out);

/// Shannon entropy in bits per character, as the detectors of random strings have it.
f64 base64_entropy(std::string_view value);
f64 hex_entropy(std::string_view value);

/// detect-secrets leaves these lines out as a whole: one that a comment of its own allows, one
/// whose value comes out of a call or an index. previous: the line before, or "".
bool is_line_left_out(std::string_view line, std::string_view previous);
/// And these values: sequences, UUIDs, templates, variables, what has no letter, identifiers.
bool is_value_left_out(Secret secret, std::string_view value, std::string_view line);

}  // namespace lm::tag
