#include "uq/wordnet.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"

namespace lm::uq {

namespace {

constexpr const char* kParts[] = {"noun", "verb", "adj", "adv"};

struct Suffix {
  std::string_view ending;
  PartOfSpeech part;
};
constexpr Suffix kSuffixes[] = {
    {"ly", PartOfSpeech::kAdverb},      {"ing", PartOfSpeech::kVerb},
    {"ed", PartOfSpeech::kVerb},        {"ize", PartOfSpeech::kVerb},
    {"ise", PartOfSpeech::kVerb},       {"ify", PartOfSpeech::kVerb},
    {"ous", PartOfSpeech::kAdjective},  {"ful", PartOfSpeech::kAdjective},
    {"able", PartOfSpeech::kAdjective}, {"ible", PartOfSpeech::kAdjective},
    {"ive", PartOfSpeech::kAdjective},  {"ic", PartOfSpeech::kAdjective},
    {"less", PartOfSpeech::kAdjective}, {"ish", PartOfSpeech::kAdjective},
};

struct Detachment {
  PartOfSpeech part;
  std::string_view ending;
  std::string_view instead;
};
constexpr Detachment kDetachments[] = {
    {PartOfSpeech::kNoun, "ses", "s"},      {PartOfSpeech::kNoun, "xes", "x"},
    {PartOfSpeech::kNoun, "zes", "z"},      {PartOfSpeech::kNoun, "ches", "ch"},
    {PartOfSpeech::kNoun, "shes", "sh"},    {PartOfSpeech::kNoun, "men", "man"},
    {PartOfSpeech::kNoun, "ies", "y"},      {PartOfSpeech::kNoun, "s", ""},
    {PartOfSpeech::kVerb, "ies", "y"},      {PartOfSpeech::kVerb, "es", "e"},
    {PartOfSpeech::kVerb, "es", ""},        {PartOfSpeech::kVerb, "s", ""},
    {PartOfSpeech::kVerb, "ed", "e"},       {PartOfSpeech::kVerb, "ed", ""},
    {PartOfSpeech::kVerb, "ing", "e"},      {PartOfSpeech::kVerb, "ing", ""},
    {PartOfSpeech::kAdjective, "est", "e"}, {PartOfSpeech::kAdjective, "est", ""},
    {PartOfSpeech::kAdjective, "er", "e"},  {PartOfSpeech::kAdjective, "er", ""},
};

std::string_view line_at(std::string_view file, std::size_t begin) {
  const std::size_t end = file.find('\n', begin);
  return file.substr(begin, end == std::string_view::npos ? end : end - begin);
}

/// The first line of a file sorted by bytes that does not come before key. The licence on top of
/// some files is lines that begin with a blank, before any word.
std::size_t lower_bound_line(std::string_view file, std::string_view key) {
  std::size_t low = 0;  // a line's begin; all lines before it come before key
  std::size_t high = file.size();
  while (low < high) {
    std::size_t middle = low + (high - low) / 2;
    const std::size_t newline = middle == 0 ? std::string_view::npos : file.rfind('\n', middle - 1);
    middle = newline == std::string_view::npos ? 0 : newline + 1;
    const std::string_view line = line_at(file, middle);
    if (line < key) {
      low = std::min(file.size(), middle + line.size() + 1);
    } else {
      high = middle;
    }
  }
  return low;
}

/// The line that begins with key, or nothing.
std::string_view find_line(std::string_view file, const std::string& key) {
  const std::size_t at = lower_bound_line(file, key);
  if (at >= file.size()) return {};
  const std::string_view line = line_at(file, at);
  return line.starts_with(key) ? line : std::string_view();
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (const std::string_view field : split(line, ' ')) {
    if (!field.empty()) out.push_back(field);
  }
  return out;
}

/// A word with blanks and without the marker of where an adjective may stand.
std::string spelt(std::string_view word) {
  std::string out(word.substr(0, word.find('(')));
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

std::string lemma_of(std::string_view word) {
  std::string out(word);
  std::replace(out.begin(), out.end(), ' ', '_');
  return out;
}

std::optional<u64> hex_count(std::string_view text) {
  u64 out = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, out, 16).ptr != end || out > 0xFFFF) return std::nullopt;
  return out;
}

bool equal_nocase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && starts_with_nocase(a, b);
}

// Behind the licence's lines, which begin with a blank: lemma, part, synsets, pointers, ...
void check_index(const io::Mapping& index, const std::string& name, char part) {
  std::string_view rest = index.bytes();
  while (rest.starts_with(' '))
    rest.remove_prefix(std::min(rest.size(), line_at(rest, 0).size() + 1));
  const std::vector<std::string_view> fields = fields_of(line_at(rest, 0));
  if (fields.size() < 6 || fields[1] != std::string_view(&part, 1) || !parse_int(fields[2]))
    throw Error(ErrorKind::kData, cat(name,
                                      ": its first line after the licence is no entry of an "
                                      "index, expected a database of WordNet 3.0"));
}

}  // namespace

std::array<PartOfSpeech, 4> likely_parts(std::string_view word) {
  std::array<PartOfSpeech, 4> out = {PartOfSpeech::kNoun, PartOfSpeech::kVerb,
                                     PartOfSpeech::kAdjective, PartOfSpeech::kAdverb};
  for (const Suffix& suffix : kSuffixes) {
    // A stem of two letters at least: "fly" is no adverb, "red" no verb.
    if (!word.ends_with(suffix.ending) || word.size() < suffix.ending.size() + 2) continue;
    const auto found = std::find(out.begin(), out.end(), suffix.part);
    std::rotate(out.begin(), found, found + 1);
    break;
  }
  return out;
}

WordNet::WordNet(const std::string& folder) {
  for (std::size_t p = 0; p < files_.size(); ++p) {
    Files& f = files_[p];
    f.name = cat(folder, "/data.", kParts[p]);
    const std::string index = cat(folder, "/index.", kParts[p]);
    f.index = io::Mapping(index);
    check_index(f.index, index, "nvar"[p]);
    f.data = io::Mapping(f.name);
    f.exceptions = io::Mapping(cat(folder, "/", kParts[p], ".exc"));
  }
  counts_ = io::Mapping(folder + "/cntlist.rev");
}

u64 WordNet::digest() const {
  u64 out = xxh3_64(counts_.bytes());
  for (const Files& f : files_) {
    for (const io::Mapping* file : {&f.index, &f.data, &f.exceptions})
      out = xxh3_64(file->bytes(), out);
  }
  return out;
}

/// The lemma under which a part of speech knows the word, or nothing.
std::string WordNet::base_form(PartOfSpeech part, const std::string& lemma) const {
  const std::string_view index = files(part).index.bytes();
  if (!find_line(index, lemma + " ").empty()) return lemma;
  const std::string_view exception = find_line(files(part).exceptions.bytes(), lemma + " ");
  if (!exception.empty()) {
    const std::vector<std::string_view> forms = fields_of(exception);
    if (forms.size() > 1 && !find_line(index, cat(forms[1], " ")).empty())
      return std::string(forms[1]);
  }
  for (const Detachment& rule : kDetachments) {
    if (rule.part != part || !lemma.ends_with(rule.ending) || lemma.size() == rule.ending.size())
      continue;
    const std::string base =
        cat(std::string_view(lemma).substr(0, lemma.size() - rule.ending.size()), rule.instead);
    if (!find_line(index, base + " ").empty()) return base;
  }
  return {};
}

/// offset, file, type, words (hex), word and number.., pointers, symbol offset part place.., | text
WordNet::Synset WordNet::synset(PartOfSpeech part, i64 at) const {
  const Files& f = files(part);
  const auto wrong = [&]() -> Error {
    return Error(ErrorKind::kData,
                 cat(f.name, ": byte ", at, ": expected a synset of WordNet 3.0"));
  };
  if (at < 0 || at >= f.data.size()) throw wrong();
  std::string_view line = line_at(f.data.bytes(), usize(at));
  line = line.substr(0, line.find(" | "));
  const std::vector<std::string_view> fields = fields_of(line);
  if (fields.size() < 5 || parse_int(fields[0]) != at) throw wrong();
  const std::optional<u64> words = hex_count(fields[3]);
  if (!words || *words == 0 || fields.size() < 5 + 2 * *words) throw wrong();
  Synset out;
  for (u64 w = 0; w < *words; ++w)
    out.words.push_back(fields[4 + 2 * w]);
  const std::size_t first = 5 + 2 * static_cast<std::size_t>(*words);
  const std::optional<i64> pointers = parse_int(fields[first - 1]);
  if (!pointers || *pointers < 0 || fields.size() < first + 4 * usize(*pointers)) throw wrong();
  for (const char kind : {'@', '~'}) {
    for (std::size_t p = first; p < first + 4 * usize(*pointers); p += 4) {
      // Not "@i" and "~i": Paris is an instance of a city, not a kind of city.
      if (fields[p] != std::string_view(&kind, 1)) continue;
      const std::optional<i64> target = parse_int(fields[p + 1]);
      const std::size_t to = std::string_view("nvar").find(fields[p + 2]);
      if (!target || fields[p + 2].size() != 1 || (to > 3 && fields[p + 2] != "s")) throw wrong();
      out.near.emplace_back(to > 3 ? PartOfSpeech::kAdjective : static_cast<PartOfSpeech>(to),
                            *target);
    }
  }
  return out;
}

WordNet::Entry WordNet::entry(std::string_view word) const {
  const std::string lemma = lemma_of(word);
  for (const PartOfSpeech part : likely_parts(word)) {
    const std::string base = base_form(part, lemma);
    if (base.empty()) continue;
    // lemma, part, synsets, pointers, symbols.., senses, tagged senses, offsets..
    const std::vector<std::string_view> index =
        fields_of(find_line(files(part).index.bytes(), base + " "));
    const i64 senses = index.size() > 2 ? parse_int(index[2]).value_or(-1) : -1;
    if (senses < 1 || isize(index) < senses + 6)
      throw Error(ErrorKind::kData, cat(files(part).name, ": its index has no synsets for ",
                                        quote(base), ", expected a database of WordNet 3.0"));
    Entry out{part, base, {}};
    for (const std::string_view offset : std::span(index).last(usize(senses)))
      out.senses.push_back(parse_int(offset).value_or(-1));
    return out;
  }
  return {};
}

std::vector<std::string> WordNet::related(std::string_view word) const {
  std::vector<std::string> out;
  const std::string lemma = spelt(lemma_of(word));
  const Entry found = entry(word);
  const auto add = [&](const Synset& from) {
    for (const std::string_view each : from.words) {
      std::string text = spelt(each);
      if (equal_nocase(text, spelt(found.base)) || equal_nocase(text, lemma)) continue;
      if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
    }
  };
  for (const i64 offset : found.senses) {
    const Synset sense = synset(found.part, offset);
    add(sense);
    for (const auto& [to, at] : sense.near)
      add(synset(to, at));
  }
  return out;
}

std::string WordNet::synonym(std::string_view word) const {
  const Entry found = entry(word);
  if (found.senses.empty()) return {};
  const Synset sense = synset(found.part, found.senses.front());
  for (const std::string_view each : sense.words) {
    std::string text = spelt(each);
    if (!equal_nocase(text, spelt(found.base)) && !equal_nocase(text, spelt(lemma_of(word))))
      return text;
  }
  return {};
}

i64 WordNet::uses(std::string_view word) const {
  std::string base;
  for (const PartOfSpeech part : likely_parts(word)) {
    base = base_form(part, lemma_of(word));
    if (!base.empty()) break;
  }
  if (base.empty()) return 0;
  // sense key, sense number, count; keys of one lemma are neighbours
  const std::string_view counts = counts_.bytes();
  const std::string key = base + "%";
  i64 out = 0;
  for (std::size_t at = lower_bound_line(counts, key); at < counts.size();) {
    const std::string_view line = line_at(counts, at);
    if (!line.starts_with(key)) break;
    const std::vector<std::string_view> fields = fields_of(line);
    if (fields.size() == 3) out += parse_int(fields[2]).value_or(0);
    at += line.size() + 1;
  }
  return out;
}

}  // namespace lm::uq
