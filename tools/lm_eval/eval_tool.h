#pragma once
// The verbs of lm-eval. Each reads its options from the tool and runs to the end.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/tool.h"
#include "common/text_output.h"
#include "eval/held_bytes.h"
#include "eval/languages.h"
#include "io/json.h"

namespace lm::eval_tool {

using tool_options::TextOutput;

cli::ToolSpec make_spec();

void run_tasks(cli::Tool& tool);
void run_bpb(cli::Tool& tool);
void run_parity(cli::Tool& tool);
void run_languages(cli::Tool& tool);
void run_compare(cli::Tool& tool);

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

/// A record, after its batch was read.
template <typename T>
struct PlacedItem {
  T item;
  std::string_view line;
  i64 input = 0;
  i64 line_number = 0;
  i64 byte = 0;
  u64 ordinal = 0;
};

/// Which items each language has.
class ItemsSeen {
 public:
  explicit ItemsSeen(MemoryBudget* memory) : held_(memory, "the ids of records") {}
  /// Fault "duplicate" for one that the language has.
  std::optional<Fault> add(const LanguageItem& item);

 private:
  std::map<std::string, std::set<std::string>> languages_;
  eval::HeldBytes held_;
};

/// Runs the records of a stream through read, which is called in parallel with a reader of
/// --by, --id-field and fields, and gives an item; then take, in input order. An item that its
/// language has already is a bad record. T is copyable and has its LanguageItem in .item.
template <typename T>
void each_item(cli::Tool& tool, const std::vector<std::string>& fields,
               const std::function<Result<T>(io::Record&)>& read,
               const std::function<void(std::vector<T>&)>& take) {
  std::vector<std::string> paths = {tool.options().text("by"), tool.options().text("id-field")};
  paths.insert(paths.end(), fields.begin(), fields.end());
  io::check_apart(paths);
  io::WorkerPool<io::JsonReader> readers([&] { return std::make_unique<io::JsonReader>(paths); });
  io::RecordRun& run = tool.records_only();
  ItemsSeen seen(tool.ctx().memory);
  io::JsonReader unread(paths);
  const auto parse = [&](io::Batch& batch) {
    std::vector<PlacedItem<T>> items;
    readers.with([&](io::JsonReader& json) {
      run.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
        Result<T> item = read(record);
        if (!item) return item.fault();
        items.push_back({std::move(*item), record.line, record.input, record.line_number,
                         record.byte, record.ordinal});
        return std::nullopt;
      });
    });
    batch.user = std::move(items);
  };
  const auto pass_on = [&](io::Batch& batch) {
    std::vector<T> fresh;
    for (PlacedItem<T>& one : std::any_cast<std::vector<PlacedItem<T>>&>(batch.user)) {
      if (std::optional<Fault> fault = seen.add(one.item.item)) {
        run.add_bad(batch, {unread, one.line, one.input, one.line_number, one.byte, one.ordinal},
                    std::move(*fault));
      } else {
        fresh.push_back(std::move(one.item));
      }
    }
    take(fresh);
  };
  run.run({{StageMode::kParallel, parse}, {StageMode::kSerial, pass_on}});
}

/// --pivot --weights --bootstrap and the seed.
eval::RatioOptions ratio_options(const cli::Tool& tool);

}  // namespace lm::eval_tool
