// lm-dedup paragraph: one key per paragraph of the text.

#include <algorithm>

#include "core/str.h"
#include "keyed.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::dedup_tool {

namespace {

/// "\n" and "\t" in an option stand for the characters.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape && (text[i + 1] == 'n' || text[i + 1] == 't' || text[i + 1] == '\\')) {
      ++i;
      out.push_back(text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : '\\');
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

class ParagraphMode : public KeyedMode {
 public:
  ParagraphMode(const cli::Options& options, const Fields& fields,
                dedup::ParagraphOptions paragraphs)
      : fields_(fields),
        paragraphs_(std::move(paragraphs)),
        action_(action_of(options)),
        drop_if_empty_(options.on("drop-if-empty")),
        min_left_(options.integer("min-left")) {}

  std::optional<Fault> prepare(io::JsonReader& json, Work& work) const override {
    if (std::optional<Fault> fault = fields_.check(json)) return fault;
    const Result<std::string_view> text = json.string(fields_.text());
    if (!text) return text.fault();
    dedup::cut_paragraphs(paragraphs_, *text, work.document);
    const auto& [paragraphs, keys, scratch] = work.document;
    work.paragraphs.emplace_back(paragraphs.begin(), paragraphs.end());
    work.keys.insert(work.keys.end(), keys.begin(), keys.end());
    return std::nullopt;
  }

  void finish(io::JsonReader& json, const Work& work, i64 line, std::span<const u8> seen,
              std::string& out, KeyedCounts& counts) const override {
    const std::vector<dedup::Span> spans =
        dedup::duplicate_spans(work.paragraphs[usize(line)], seen);
    counts.duplicates += isize(spans);
    counts.documents_marked += !spans.empty();
    if (action_ == Action::kReport || (action_ == Action::kRemove && spans.empty())) {
      append(out, json.line(), "\n");
      return;
    }
    io::RecordEdit edit(json);
    if (action_ == Action::kAnnotate) {
      edit.set(fields_.attribute(), spans_json(spans));
    } else {
      const std::string left = dedup::cut_spans(*json.string(fields_.text()), spans);
      if ((drop_if_empty_ && text::is_blank(left)) ||
          (min_left_ > 0 && text::count_code_points(left) < min_left_)) {
        ++counts.documents_dropped;
        return;
      }
      edit.set(fields_.text(), io::json_string(left));
    }
    edit.write(out);
  }

 private:
  const Fields& fields_;
  dedup::ParagraphOptions paragraphs_;
  Action action_;
  bool drop_if_empty_;
  i64 min_left_;
};

}  // namespace

void run_paragraph(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  dedup::ParagraphOptions paragraphs;
  paragraphs.separator = unescape(options.text("separator"));
  const std::string& normaliser = options.text("normalise");
  paragraphs.normaliser = *text::find_normaliser(normaliser);
  paragraphs.min_chars = options.integer("min-chars");
  paragraphs.min_words = options.integer("min-words");
  paragraphs.skip_empty = options.on("skip-empty");
  paragraphs.across_only = options.on("across-only");
  const Fields fields(options, {});
  const std::string& cut = paragraphs.separator;
  KeyJudge judge(tool, cut == "\n" ? "paragraph" : cat("paragraph:", quote(cut)), normaliser);
  paragraphs.seed = judge.seed();
  const ParagraphMode mode(options, fields, paragraphs);
  run_keyed(tool, fields, mode, judge);
}

}  // namespace lm::dedup_tool
