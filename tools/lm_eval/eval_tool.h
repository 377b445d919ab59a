#pragma once
// The verbs of lm-eval. Each reads its options from the tool and runs to the end.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/tool.h"
#include "eval/languages.h"
#include "io/json.h"

namespace lm::eval_tool {

cli::ToolSpec make_spec();

void run_tasks(cli::Tool& tool);
void run_bpb(cli::Tool& tool);
void run_parity(cli::Tool& tool);
void run_languages(cli::Tool& tool);
void run_compare(cli::Tool& tool);

/// What a run prints: to --output, a file that the tool completes, or standard output.
class TextOutput {
 public:
  /// Opens it, so that a run fails at once and not at its end.
  explicit TextOutput(cli::Tool& tool);
  void write(std::string_view text);

 private:
  io::AtomicFile* file_ = nullptr;  // null: standard output
};

/// For verbs that compute nothing on a device: one that is asked for and is not there is refused as
/// everywhere (Error{kUnavailable}).
void check_device(const cli::Tool& tool);

/// The fields that name a record's language and item.
struct ItemFields {
  static constexpr i64 kLanguage = 0;
  static constexpr i64 kId = 1;
  static constexpr i64 kFirst = 2;  // of the verb's own fields
};

/// A record of a stream by language.
struct LanguageItem {
  std::string language;
  std::string id;  // "#ordinal" where the record has none
};
/// Reads both. Fault "missing" or "type".
Result<LanguageItem> language_item(io::Record& record);

/// Runs the records of a stream through read, which is called in parallel with a reader of
/// --by, --id-field and fields, and gives an item; then take, in input order. T is copyable.
template <typename T>
void each_item(cli::Tool& tool, const std::vector<std::string>& fields,
               const std::function<Result<T>(io::Record&)>& read,
               const std::function<void(std::vector<T>&)>& take) {
  std::vector<std::string> paths = {tool.options().text("by"), tool.options().text("id-field")};
  paths.insert(paths.end(), fields.begin(), fields.end());
  io::check_apart(paths);
  io::WorkerPool<io::JsonReader> readers([&] { return std::make_unique<io::JsonReader>(paths); });
  io::RecordRun& run = tool.records_only();
  run.run({{StageMode::kParallel,
            [&](io::Batch& batch) {
              std::vector<T> items;
              readers.with([&](io::JsonReader& json) {
                run.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
                  Result<T> item = read(record);
                  if (!item) return item.fault();
                  items.push_back(std::move(*item));
                  return std::nullopt;
                });
              });
              batch.user = std::move(items);
            }},
           {StageMode::kSerial,
            [&](io::Batch& batch) { take(std::any_cast<std::vector<T>&>(batch.user)); }}});
}

/// --pivot --weights --bootstrap and the seed.
eval::RatioOptions ratio_options(const cli::Tool& tool);

}  // namespace lm::eval_tool
