#pragma once
// The three patterns of Dolma's PII taggers as scanners: what the regular expressions match, found
// in one pass with work in proportion to the text. D stands for white space or one of .,@?!;:)( .
//
//   e-mail  D* (A+ @ B+?) D? S   A: neither white space nor @; B: A without , ? ! ; : ) (
//                                S: one white space; B+? is the shortest run that works
//   phone   S+ (? 3 digits )? [-. ]* 3 digits [-. ]? 4 digits       any decimal digits of Unicode
//   IP      four numbers 0-255 with dots between, leading zeros allowed, no boundaries
//
// Matches are leftmost, then as the expressions prefer, and do not overlap.

#include <span>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "tag/document.h"

namespace lm::tag {

struct EmailMatch {
  Range all;      // with the delimiters on both sides
  Range address;  // A+ @ B+
};

/// Matches inside `part` of the text, as if nothing stood around it. Offsets are the text's; bits:
/// of the whole text. O(n).
void find_emails(std::string_view text, Range part, std::vector<EmailMatch>& out);
void find_ips(std::string_view text, const text::ByteBits& bits, Range part,
              std::vector<Range>& out);
void find_phones(std::string_view text, const text::ByteBits& bits, Range part,
                 std::vector<Range>& out);

/// Bytes of the decimal digit (general category Nd) at a sequence start, 0 for anything else.
i64 digit_size(std::string_view text, i64 at);
/// One to three digits that stand for 0 to 255.
bool is_octet(std::string_view digits);
/// True if token is, or holds, an address on the web: has ://, begins with www., or has a host and
/// a slash.
bool holds_url(std::string_view token);

}  // namespace lm::tag
