#pragma once
// The normalisers that give hash keys: each maps text to the form whose equality (or shingles) a
// deduplication compares. Names are stored in filter headers and never change meaning.
//   raw         bytes unchanged
//   ccnet-dedup strip; lower; decimal digit -> 0; delete CCNet's 34 punctuation characters and
//   controls datatrove   lower; number with optional fraction -> 0; that punctuation, ASCII
//   punctuation and
//               controls -> blank; blanks collapsed and stripped; NFD without marks (Mn)
//   slimpajama  NFC; lower; ASCII punctuation deleted; blanks collapsed and stripped
//   alnum       lower; other than letter or number -> blank; collapsed and stripped
//   gpt3        lower; ASCII punctuation and general category P deleted; collapsed and stripped
//   url         host[:port] and path, lower case; scheme, user, query, fragment, last / removed
// Text is well-formed UTF-8. Pure functions; thread safe. ASCII goes through a table; words with
// other characters through the Unicode functions. Origins: CCNet, datatrove, SlimPajama, Brown et
// al. 2020.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::text {

enum class Normaliser : u8 { kRaw, kCcnetDedup, kDatatrove, kSlimPajama, kAlnum, kGpt3, kUrl };

/// All names, in the order of the enumerators.
std::span<const std::string> normaliser_names();
const std::string& normaliser_name(Normaliser normaliser);
std::optional<Normaliser> find_normaliser(std::string_view name);

/// Replaces out by the normal form of text. The result may be empty. O(n).
void normalise(Normaliser normaliser, std::string_view text, std::string& out);
std::string normalise(Normaliser normaliser, std::string_view text);

/// Punctuation as CCNet and datatrove have it: of ASCII, controls, and CCNet's 34 other marks.
bool is_web_mark(char32_t cp);

}  // namespace lm::text
