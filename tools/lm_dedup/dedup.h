#pragma once
// The verbs of lm-dedup; each is a pass structure around lib/dedup.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/tool.h"
#include "core/hash.h"
#include "dedup/paragraph.h"
#include "io/json.h"

namespace lm::dedup_tool {

/// The verbs and their options.
std::vector<cli::Verb> verbs();

void run_document(cli::Tool& tool);
void run_paragraph(cli::Tool& tool);
void run_minhash(cli::Tool& tool);
void run_bloom(cli::Tool& tool);

enum class Action { kAnnotate, kRemove, kReport };
Action action_of(const cli::Options& options);

/// The fields every verb reads: text, attributes and its own attribute, then `more`.
class Fields {
 public:
  Fields(const cli::Options& options, const std::vector<std::string>& more);
  const std::vector<std::string>& paths() const { return paths_; }
  /// Index of a path given in `more`, or of "text".
  i64 index(const std::string& path) const;
  i64 text() const { return 0; }
  i64 attribute() const { return 2; }
  /// Fault "type" if attributes is there and neither an object nor null.
  std::optional<Fault> check(const io::JsonReader& json) const;

 private:
  std::vector<std::string> paths_;
};

/// The attribute for a whole document: [[0,length,score]], or [] when it is kept.
std::string document_span(i64 length, f64 score);
std::string spans_json(const std::vector<dedup::Span>& spans);

/// The good records of a batch.
struct Work {
  std::vector<std::string_view> lines;
  std::vector<Hash128> keys;
  std::vector<u64> priorities;       // per key; empty: the first copy is kept
  std::vector<i64> first_key = {0};  // per line, and the end
  // Paragraph mode: by line, and the document that is being cut.
  std::vector<std::vector<dedup::Paragraph>> paragraphs;
  dedup::ParagraphedText document;
  std::vector<u8> seen;  // per key
  bool deferred = false;
};

}  // namespace lm::dedup_tool
