// How many tokens a text has: by a tokenizer's file, or by OLMo's pre-tokenizer, which needs none.

#include "tag/tokens.h"

#include "core/str.h"
#include "tag/define.h"
#include "text/pretokenize.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> token_taggers();

SharedTokenizer read_tokenizer(const std::string& path, TagFiles& files) {
  // A folder is named by the file in it that defines the tokenizer.
  const std::string file = text::tokenizer_files(path).front().path;
  return files.read<std::unique_ptr<text::Tokenizer>>(file, [](const std::string& name) {
    text::LoadOptions options;
    options.add_specials = false;
    return text::load_tokenizer(name, options);
  });
}

std::optional<Fault> TokenWork::encode(std::string_view text, bool with_offsets) {
  ids_.clear();
  offsets_.clear();
  return text::encode_record(tokenizer(), text, *state_, ids_, with_offsets ? &offsets_ : nullptr);
}

namespace {

class TokenCount : public Tagger {
 public:
  /// strip: of the text without white space at its ends.
  TokenCount(SharedTokenizer tokenizer, std::string unit, bool strip)
      : work_(std::move(tokenizer)), unit_(std::move(unit)), strip_(strip) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    if (unit_ == "document") {
      const std::string_view text = document.text();
      if (std::optional<Fault> fault = work_.encode(strip_ ? text::strip(text) : text, false))
        return fault;
      out.value(0, static_cast<f64>(work_.ids().size()));
      return std::nullopt;
    }
    for (const Range part : unit_ == "line" ? document.lines_n() : document.paragraphs()) {
      if (std::optional<Fault> fault = work_.encode(document.slice(part), false)) return fault;
      out.span(0, part.begin, part.end, static_cast<f64>(work_.ids().size()));
    }
    return std::nullopt;
  }

 private:
  TokenWork work_;
  std::string unit_;
  bool strip_;
};

/// Pieces of OLMo's pre-tokenizer: punctuation, symbols and digits by themselves, each with one
/// blank before it if there is one, and GPT-2's pieces of what lies between.
class OlmoPieces {
 public:
  i64 count(std::string_view text) {
    i64 pieces = 0;
    std::size_t begin = 0;  // of what lies between
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p < end) {
      const std::size_t at = static_cast<std::size_t>(p - text.data());
      if (!text::in_categories(text::next_valid(p), kAlone)) continue;
      const bool blank = at > begin && text[at - 1] == ' ';
      pieces += 1 + between(text.substr(begin, at - (blank ? 1 : 0) - begin));
      begin = static_cast<std::size_t>(p - text.data());
    }
    return pieces + between(text.substr(begin));
  }

 private:
  static constexpr u32 kAlone =
      text::kPunctuation | text::category_bit(text::Category::kSm) |
      text::category_bit(text::Category::kSc) | text::category_bit(text::Category::kSk) |
      text::category_bit(text::Category::kSo) | text::category_bit(text::Category::kNd);

  i64 between(std::string_view text) {
    spans_.clear();
    text::scan_pieces(text::PatternId::kR50k, text, spans_);
    return isize(spans_);
  }

  std::vector<text::Span> spans_;
};

class OlmoDocument : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    out.value(0, static_cast<f64>(pieces_.count(document.text())));
    return std::nullopt;
  }

 private:
  OlmoPieces pieces_;
};

class OlmoParagraphs : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    i64 sum = 0;
    for (const Range paragraph : document.paragraphs()) {
      const std::string_view text = document.slice(paragraph);
      if (text::is_blank(text)) continue;
      const i64 count = pieces_.count(text);
      sum += count;
      out.span(0, paragraph.begin, paragraph.end, static_cast<f64>(count));
    }
    out.value(1, static_cast<f64>(sum));
    return std::nullopt;
  }

 private:
  OlmoPieces pieces_;
};

TaggerDef counted(const char* name, const char* summary, const char* type, bool strip) {
  TaggerDef def{name, "document", summary, "Dolma", {{type, "tokens, without special ones"}},
                {},   {}};
  if (strip) def.types[0].meaning += ", of the stripped text";
  def.file = name;
  def.bind = [strip](TaggerDef& own, const std::string& path, TagFiles& files) {
    own.make = [strip, tokenizer = read_tokenizer(path, files)](const TagSettings&) {
      return std::make_unique<TokenCount>(tokenizer, "document", strip);
    };
  };
  return def;
}

}  // namespace

TaggerDef tokens_tagger(const Definition& of, TagFiles& files) {
  TaggerDef def;
  def.summary = "tokens by a tokenizer of your own";
  def.types = {{"tokens", cat("tokens of a ", of.unit, ", without special ones")}};
  def.make = [unit = of.unit, tokenizer = read_tokenizer(of.argument, files)](const TagSettings&) {
    return std::make_unique<TokenCount>(tokenizer, unit, false);
  };
  return def;
}

std::vector<TaggerDef> token_taggers() {
  return {
      {"olmo_pretokenizer_v1",
       "document",
       "pieces of OLMo's pre-tokenizer",
       "Dolma",
       {{"length", "pieces"}},
       {},
       [](const TagSettings&) { return std::make_unique<OlmoDocument>(); }},
      {"olmo_pretokenizer_with_paragraphs_v1",
       "paragraph",
       "pieces of OLMo's pre-tokenizer in paragraphs",
       "Dolma",
       {{"paragraph", "pieces of a paragraph that is not blank"}, {"document", "pieces in all"}},
       {},
       [](const TagSettings&) { return std::make_unique<OlmoParagraphs>(); }},
      counted("dolma_v1_tokenizer", "tokens of allenai/gpt-neox-olmo-dolma-v1_5", "length", true),
      counted("dolma_v2_tokenizer", "tokens of allenai/dolma2-tokenizer", "length", true),
      counted("tokenizers_EleutherAI_GPT_NeoX_20B", "tokens of EleutherAI/gpt-neox-20b", "tokens",
              false),
      counted("tokenizers_AI2_OLMo_v1", "tokens of allenai/eleuther-ai-gpt-neox-20b-pii-special",
              "tokens", false),
  };
}

}  // namespace lm::tag
