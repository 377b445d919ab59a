#include "tag/define.h"

#include <algorithm>
#include <array>

#include "core/str.h"
#include "io/file.h"
#include "tag/catalogue.h"
#include "tag/kinds.h"
#include "tag/tokens.h"
#include "text/unicode.h"

namespace lm::tag {

TaggerDef label_tagger(const std::string& unit, const std::string& path, TagFiles& files);

namespace {

constexpr const char* kForm = "a definition is NAME[@UNIT]=KIND:ARGUMENT";

/// Units of the document with a word of a list in them.
class ListedWords : public Tagger {
 public:
  ListedWords(std::shared_ptr<const WordList> list, std::string unit)
      : list_(std::move(list)), unit_(std::move(unit)) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    if (unit_ == "document") {
      if (list_->found_in(document.lower(), document.lower_bits())) out.value(0, 1);
      return std::nullopt;
    }
    for (const Range part : unit_ == "line" ? document.lines_n() : document.paragraphs()) {
      lower_ = text::to_lower(document.slice(part));
      bits_.scan(lower_);
      if (list_->found_in(lower_, bits_)) out.span(0, part.begin, part.end);
    }
    return std::nullopt;
  }

 private:
  std::shared_ptr<const WordList> list_;
  std::string unit_;
  std::string lower_;
  text::ByteBits bits_;
};

TaggerDef words_tagger(const Definition& of, TagFiles& files) {
  const std::shared_ptr<const WordList> list = files.read<WordList>(
      of.argument, [](const std::string& path) { return WordList(io::read_file(path), path); });
  TaggerDef def;
  def.summary = "a word or phrase of a list";
  def.types = {{"found", cat("1 where a ", of.unit, " has a word or phrase of the list")}};
  def.make = [list, unit = of.unit](const TagSettings&) {
    return std::make_unique<ListedWords>(list, unit);
  };
  return def;
}

TaggerDef fasttext_tagger(const Definition& of, TagFiles& files) {
  return label_tagger(of.unit, of.argument, files);
}

struct Kind {
  const char* name;
  const char* argument;
  TaggerDef (*make)(const Definition&, TagFiles&);
  std::array<const char*, 4> units = {"document", "line", "paragraph", nullptr};
};

constexpr Kind kKinds[] = {
    {"words", "a file of words and phrases, one a line, in lower case", words_tagger},
    {"urls", "a list of hosts, addresses or rules of Adblock Plus for metadata.url", urls_tagger},
    {"regex",
     "a PCRE2 expression whose matches are counted; UNIT may be match too",
     regex_tagger,
     {"document", "line", "paragraph", "match"}},
    {"tokens", "a tokenizer whose tokens are counted", tokens_tagger},
    {"fasttext", "a fastText model, .bin or .ftz, as lm-tag train makes them", fasttext_tagger},
    {"external",
     "TYPE,...:COMMAND, of a program that answers documents on its standard output",
     external_tagger,
     {"document", nullptr, nullptr, nullptr}},
};

bool has_unit(const Kind& kind, const std::string& unit) {
  return std::any_of(kind.units.begin(), kind.units.end(),
                     [&](const char* own) { return own != nullptr && unit == own; });
}

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return key_part(std::string_view(&c, 1))[0] == c || c == '.' || c == '-';
  });
}

}  // namespace

TaggerDef defined_tagger(std::string_view text, TagFiles& files) {
  const std::size_t equals = text.find('=');
  const std::size_t colon = equals == std::string_view::npos ? equals : text.find(':', equals + 1);
  if (colon == std::string_view::npos)
    throw Error(
        ErrorKind::kUsage,
        cat("--define ", quote(text), " has no ", equals == std::string_view::npos ? "=" : ":"),
        kForm);
  const std::string_view left = text.substr(0, equals);
  const std::size_t at = left.find('@');
  Definition of;
  of.name = left.substr(0, at);
  of.unit = at == std::string_view::npos ? "document" : std::string(left.substr(at + 1));
  of.argument = text.substr(colon + 1);
  const std::string_view kind = text.substr(equals + 1, colon - equals - 1);
  if (!is_name(of.name))
    throw Error(ErrorKind::kUsage, cat("--define: ", quote(of.name), " is no name of a tagger"),
                "names have A-Z a-z 0-9 _ . and -");
  if (find_tagger(of.name) != nullptr)
    throw Error(ErrorKind::kUsage, cat("--define: ", of.name, " is a tagger of the catalogue"),
                "choose another name");
  for (const Kind& known : kKinds) {
    if (known.name != kind) continue;
    if (of.argument.empty())
      throw Error(ErrorKind::kUsage, cat("--define ", of.name, ": ", kind, " has no argument"),
                  cat("it takes ", known.argument));
    if (!has_unit(known, of.unit)) {
      std::vector<std::string> units;
      for (const char* const unit : known.units)
        if (unit != nullptr) units.emplace_back(unit);
      throw Error(ErrorKind::kUsage,
                  cat("--define ", of.name, ": kind ", kind, " has no unit ", quote(of.unit)),
                  cat("units are ", join(units, ", ")));
    }
    TaggerDef def = known.make(of, files);
    def.name = of.name;
    def.unit = of.unit;
    def.source = cat("--define, kind ", kind);
    return def;
  }
  std::vector<std::string> names;
  for (const Kind& known : kKinds)
    names.emplace_back(known.name);
  throw Error(ErrorKind::kUsage, cat("--define ", of.name, ": there is no kind ", quote(kind)),
              cat("kinds are ", join(names, ", ")));
}

std::string definition_kinds() {
  std::string out;
  for (const Kind& kind : kKinds)
    append(out, kind.name, ": ", kind.argument, "\n");
  return out;
}

}  // namespace lm::tag
