// lm-dedup document: one key per record.

#include "core/str.h"
#include "keyed.h"
#include "prefer.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::dedup_tool {

namespace {

class DocumentMode : public KeyedMode {
 public:
  DocumentMode(const cli::Options& options, const Fields& fields,
               const std::vector<std::string>& keys, const Preference& preference,
               text::Normaliser normaliser, u64 seed)
      : fields_(fields),
        preference_(preference),
        normaliser_(normaliser),
        seed_(seed),
        action_(action_of(options)),
        min_words_(options.integer("min-words")),
        min_chars_(options.integer("min-chars")),
        empty_takes_part_(options.on("dedup-empty")),
        missing_passes_(options.text("on-missing") == "keep") {
    for (const std::string& key : keys)
      key_fields_.push_back(fields.index(key));
  }

  bool prefers() const override { return !preference_.first(); }

  std::optional<Fault> prepare(io::JsonReader& json, Work& work) const override {
    if (std::optional<Fault> fault = fields_.check(json)) return fault;
    std::string joined;
    std::string normal;
    i64 words = 0;
    i64 chars = 0;
    bool blank = true;
    for (const i64 field : key_fields_) {
      if (missing_passes_ && !json.has(field)) return std::nullopt;
      const Result<std::string_view> value = key_value(json, field);
      if (!value) return value.fault();
      blank = blank && text::is_blank(*value);
      if (min_words_ > 0) words += text::count_words_ws(*value);
      if (min_chars_ > 0) chars += text::count_code_points(*value);
      text::normalise(normaliser_, *value, normal);
      if (field != key_fields_.front()) joined.push_back('\0');
      joined += normal;
    }
    if ((blank && !empty_takes_part_) || words < min_words_ || chars < min_chars_)
      return std::nullopt;
    if (prefers()) {
      const Result<u64> priority = preference_.of(json, fields_);
      if (!priority) return priority.fault();
      work.priorities.push_back(*priority);
    }
    work.keys.push_back(xxh3_128(joined, seed_));
    return std::nullopt;
  }

  void finish(io::JsonReader& json, const Work&, i64, std::span<const u8> seen, std::string& out,
              KeyedCounts& counts) const override {
    const bool duplicate = !seen.empty() && seen[0] != 0;
    if (duplicate) {
      ++counts.duplicates;
      ++counts.documents_marked;
    }
    if (action_ != Action::kAnnotate) {
      if (duplicate && action_ == Action::kRemove) {
        ++counts.documents_dropped;
      } else {
        append(out, json.line(), "\n");
      }
      return;
    }
    io::RecordEdit edit(json);
    i64 length = 0;
    if (duplicate) {
      const Result<std::string_view> text = json.string(fields_.text());
      if (text) length = text::count_code_points(*text);
    }
    edit.set(fields_.attribute(), duplicate ? document_span(length, 1) : "[]");
    edit.write(out);
  }

 private:
  /// Strings unescaped; in fields other than the text also numbers as they are spelt, and null
  /// counts as missing.
  Result<std::string_view> key_value(io::JsonReader& json, i64 field) const {
    if (field == fields_.text()) return json.string(field);
    switch (json.field(field).type) {
      case io::JsonType::kNumber:
        return json.raw(field);
      case io::JsonType::kNull:
        return Fault{"missing", cat("key field \"", json.path(field), "\" is null"),
                     json.field(field).begin};
      default:
        return json.string(field);
    }
  }

  const Fields& fields_;
  const Preference& preference_;
  std::vector<i64> key_fields_;
  text::Normaliser normaliser_;
  u64 seed_;
  Action action_;
  i64 min_words_;
  i64 min_chars_;
  bool empty_takes_part_;
  bool missing_passes_;
};

}  // namespace

void run_document(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  std::vector<std::string> keys = options.list("key");
  if (keys.empty()) keys = {options.text("field")};
  std::string kind = "doc";
  if (keys.size() > 1 || keys[0] != "text") kind = "key:" + join(keys, ",");
  const Preference preference(options.text("prefer"));
  std::vector<std::string> paths = keys;
  if (!preference.path().empty()) paths.push_back(preference.path());
  const Fields fields(options, paths);
  const std::string& normaliser = options.text("normalise");
  KeyJudge judge(tool, kind, normaliser);
  if (!preference.first() && !judge.exact()) {
    throw Error(ErrorKind::kUsage, "--prefer needs the exact set: a filter cannot take a key back");
  }
  const DocumentMode mode(options, fields, keys, preference, *text::find_normaliser(normaliser),
                          judge.seed());
  run_keyed(tool, fields, mode, judge);
}

}  // namespace lm::dedup_tool
