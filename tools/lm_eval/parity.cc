// parity: what tokenizers make of parallel text.

#include "core/str.h"
#include "eval/held_bytes.h"
#include "eval_tool.h"
#include "text/tokenizer.h"

namespace lm::eval_tool {

namespace {

using text::Value;
using text::ValueList;
using text::ValueMap;

struct CountedItem {
  LanguageItem item;
  eval::TextUnits units;
  i64 bytes = 0;
  std::vector<i64> tokens;  // by tokenizer
};

struct Loaded {
  std::string path;
  std::unique_ptr<text::Tokenizer> tokenizer;
};

std::vector<Loaded> load(const std::vector<std::string>& paths) {
  if (paths.empty()) throw Error(ErrorKind::kUsage, "--tokenizer FILE is needed");
  std::vector<Loaded> out;
  text::LoadOptions options;
  options.add_specials = false;
  options.special = text::SpecialPolicy::kText;
  for (const std::string& path : paths)
    out.push_back({path, text::load_tokenizer(path, options)});
  return out;
}

/// Encoding scratch of one thread, by tokenizer.
struct Worker {
  std::vector<std::unique_ptr<text::EncodeState>> states;
  std::vector<i32> ids;
};

class ParityRun {
 public:
  explicit ParityRun(cli::Tool& tool)
      : tool_(tool),
        tokenizers_(load(tool.options().list("tokenizer"))),
        workers_([this] {
          std::unique_ptr<Worker> worker = std::make_unique<Worker>();
          for (const Loaded& each : tokenizers_)
            worker->states.push_back(each.tokenizer->new_state());
          return worker;
        }),
        held_(tool.ctx().memory, "the figures of records") {}

  void run() {
    each_item<CountedItem>(
        tool_, {tool_.options().text("field")}, [this](io::Record& record) { return read(record); },
        [this](std::vector<CountedItem>& items) {
          for (CountedItem& item : items) {
            held_.add(160 + isize(item.item.id) + 8 * isize(item.tokens));
            eval::TextUnits& sum = units_[item.item.language];
            sum.letters += item.units.letters;
            sum.unspaced += item.units.unspaced;
            items_.push_back(std::move(item));
          }
        });
  }

  Value result(const eval::RatioOptions& ratio) const {
    ValueList out;
    for (std::size_t t = 0; t < tokenizers_.size(); ++t) {
      Value one(ValueMap{{"tokenizer", tokenizers_[t].path},
                         {"digest", cat("sha256:", tokenizers_[t].tokenizer->digest())},
                         {"vocab", tokenizers_[t].tokenizer->vocab_size()}});
      one.set("parity", parity(t, ratio));
      one.set("fertility", fertility(t, ratio));
      one.set("tokens_per_byte", per_byte(t, ratio));
      out.push_back(std::move(one));
    }
    return ValueMap{{"pivot", ratio.pivot}, {"tokenizers", std::move(out)}};
  }

 private:
  Result<CountedItem> read(io::Record& record) {
    Result<LanguageItem> item = language_item(record);
    if (!item) return item.fault();
    const Result<std::string_view> text = record.json.string(ItemFields::kFirst);
    if (!text) return text.fault();
    CountedItem out{std::move(*item), eval::count_units(*text), isize(*text), {}};
    std::optional<Fault> fault;
    workers_.with([&](Worker& worker) {
      for (std::size_t t = 0; t < tokenizers_.size() && !fault; ++t) {
        worker.ids.clear();
        fault =
            text::encode_record(*tokenizers_[t].tokenizer, *text, *worker.states[t], worker.ids);
        out.tokens.push_back(isize(worker.ids));
      }
    });
    if (fault) return *fault;
    return out;
  }

  /// Over the items that the pivot has too.
  Value parity(std::size_t t, const eval::RatioOptions& ratio) const {
    eval::RatioTable tokens;
    for (const CountedItem& item : items_)
      tokens.add(item.item.language, item.item.id, {static_cast<f64>(item.tokens[t]), 0});
    const std::map<std::string, eval::RatioPart> pivot = tokens.items(ratio.pivot);
    if (pivot.empty())
      throw Error(ErrorKind::kData, cat("no record has the pivot's language ", quote(ratio.pivot)),
                  items_.empty() ? "" : cat("languages: ", join(tokens.languages(), ", ")));
    eval::RatioTable out;
    for (const std::string& language : tokens.languages())
      for (const auto& [id, part] : tokens.items(language))
        if (const auto other = pivot.find(id); other != pivot.end())
          out.add(language, id, {part.above, other->second.above});
    eval::RatioOptions plain = ratio;
    plain.pivot.clear();
    return eval::summary_value(out.summary(plain));
  }

  Value fertility(std::size_t t, const eval::RatioOptions& ratio) const {
    eval::RatioTable out;
    for (const CountedItem& item : items_)
      out.add(item.item.language, item.item.id,
              {static_cast<f64>(item.tokens[t]),
               static_cast<f64>(unspaced(item.item.language) ? item.units.characters
                                                             : item.units.words)});
    Value summary = eval::summary_value(out.summary(ratio));
    Value rows = *summary.find("languages");
    for (Value& row : rows.list())
      row.set("unit", unspaced(row.find("language")->str()) ? "character" : "word");
    return summary;
  }

  Value per_byte(std::size_t t, const eval::RatioOptions& ratio) const {
    eval::RatioTable out;
    for (const CountedItem& item : items_)
      out.add(item.item.language, item.item.id,
              {static_cast<f64>(item.tokens[t]), static_cast<f64>(item.bytes)});
    return eval::summary_value(out.summary(ratio));
  }

  bool unspaced(const std::string& language) const {
    const eval::TextUnits& sum = units_.at(language);
    return 2 * sum.unspaced > sum.letters;
  }

  cli::Tool& tool_;
  std::vector<Loaded> tokenizers_;
  io::WorkerPool<Worker> workers_;
  eval::HeldBytes held_;
  std::vector<CountedItem> items_;
  std::map<std::string, eval::TextUnits> units_;
};

}  // namespace

void run_parity(cli::Tool& tool) {
  check_device(tool);
  tool_options::refuse_output_options(tool);
  tool.input();
  for (const std::string& path : tool.options().list("tokenizer"))
    tool.add_input_folder(path);
  TextOutput out(tool);
  const eval::RatioOptions ratio = ratio_options(tool);
  ParityRun run(tool);
  run.run();
  out.write(text::to_json(run.result(ratio), {.indent = 2}) + "\n");
}

}  // namespace lm::eval_tool
