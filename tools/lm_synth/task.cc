// task: records of a task.

#include <algorithm>
#include <optional>

#include "common/text_output.h"
#include "core/parallel.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"
#include "synth.h"
#include "synth/plan.h"

namespace lm::synth_tool {

namespace {

constexpr i64 kUsual = 1000;  // records where none are asked for
// Records of one item of the pipeline: as many as make so many bytes, and no more than 64.
constexpr i64 kBlockBytes = i64{1} << 18;

/// --task NAME or the first operand; nothing else may be named.
std::optional<std::string> task_name(const cli::Tool& tool) {
  std::vector<std::string> names = tool.files();
  if (tool.options().given("task")) names.insert(names.begin(), tool.options().text("task"));
  if (names.size() > 1)
    throw Error(ErrorKind::kUsage, cat("task makes records and reads none: ", quote(names[1])));
  if (names.empty()) return std::nullopt;
  return names[0];
}

std::string listed(const synth::TaskInfo& task) {
  std::string out = cat(task.name, ": ", task.summary, "\n  forms: ", join(task.forms, ", "), "\n");
  for (const synth::Param& param : task.params)
    append(out, "  ", param.name, "=", param.def, " (",
           param.kind == synth::Param::Kind::kChoice ? join(param.choices, "|") : param.range(".."),
           ") ", param.help, "\n");
  return out;
}

void list_tasks(cli::Tool& tool, const std::optional<std::string>& name) {
  tool_options::refuse_output_options(tool);
  tool_options::refuse_options(tool, {"shard", "records", "set", "split", "shares", "form", "text"},
                               "makes no records with --list");
  tool_options::TextOutput out(tool);
  if (name) return out.write(listed(synth::task_named(*name)));
  for (const synth::TaskInfo& task : synth::tasks())
    out.write(listed(task));
}

synth::SplitShares parse_shares(const std::string& text) {
  const std::vector<std::string_view> parts = split(text, ',');
  synth::SplitShares out{};
  f64 sum = 0;
  bool good = parts.size() == out.size();
  for (std::size_t i = 0; good && i < out.size(); ++i) {
    const std::optional<f64> share = parse_float(parts[i]);
    good = share && *share >= 0;
    if (good) sum += out[i] = *share;
  }
  if (!good || sum <= 0)
    throw Error(ErrorKind::kUsage, cat("--shares: ", quote(text),
                                       " is not three numbers from 0, such as 0.8,0.1,0.1"));
  for (f64& share : out)
    share /= sum;
  return out;
}

/// A file of --text, charged while it is held.
class TextFile {
 public:
  explicit TextFile(cli::Tool& tool) : budget_(*tool.ctx().memory) {
    const std::string& path = tool.options().text("text");
    if (path.empty()) return;
    // The bytes, and the letters made of them. A pipe's size is known only afterwards.
    const io::Fd fd = io::open_input(path);
    const bool regular = io::is_regular(fd.get());
    if (regular) charge(io::file_size(fd.get(), path));
    text_ = io::read_file(path);
    if (!regular) charge(isize(text_));
    tool.set_param("text", io::json_string(sha256_hex(text_)));
    if (text_.empty()) throw Error(ErrorKind::kData, cat(path, ": is empty"));
  }
  ~TextFile() { budget_.release(charged_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  std::string_view text() const { return text_; }

 private:
  void charge(i64 bytes) {
    budget_.charge(2 * bytes, "the text of --text");
    charged_ += 2 * bytes;
  }
  MemoryBudget& budget_;
  i64 charged_ = 0;
  std::string text_;
};

std::string form_of(const cli::Options& options, const synth::TaskInfo& task) {
  const std::string& form = options.text("form");
  if (form.empty()) return task.forms[0];
  if (std::find(task.forms.begin(), task.forms.end(), form) == task.forms.end())
    throw Error(ErrorKind::kUsage, cat("--form: ", task.name, " has no form ", quote(form)),
                cat("it has ", join(task.forms, ", ")));
  return form;
}

/// What is in work at once. The first draw stands for all records: lengths differ little. What one
/// is drawn of takes as much again.
struct Work {
  i64 blocks = 0;  // at once
  i64 block = 0;   // records of one
  i64 bytes = 0;   // of all
};
Work work_of(const synth::Task& task, u64 seed, i64 threads) {
  const synth::Place place{seed, 0, 0};
  std::string fields;
  task.write(*task.draw(place), place, fields);
  const i64 bytes = 4 * isize(fields);
  Work out;
  out.blocks = 2 * threads + 2;
  out.block = std::clamp<i64>(kBlockBytes / bytes, 1, 64);
  out.bytes = out.blocks * out.block * bytes;
  return out;
}

struct Block final : PipelineItem {
  i64 begin = 0, end = 0;  // places in this shard
  std::string lines;
  io::StreamTotals totals;
};

/// Records shard.index, shard.index + shard.count, ... of the plan.
void write_records(cli::Tool& tool, const synth::Task& task, const synth::Plan& plan,
                   const std::string& id_stem, const std::string& name, const Work& work) {
  const io::Shard shard = tool.shard();
  const i64 count = std::max<i64>(0, plan.records() - shard.index + shard.count - 1) / shard.count;
  const auto line_of = [&](i64 i) {
    const synth::Place place = plan.place(shard.index + i * shard.count);
    std::string line = cat("{\"id\":\"", id_stem, place.record, "\",\"task\":\"", name, "\"");
    task.write(*task.draw(place), place, line);
    return line + "}";
  };
  io::OutputStream& out = tool.output();
  i64 next = 0;
  const auto source = [&]() -> std::unique_ptr<PipelineItem> {
    if (next >= count) return nullptr;
    auto block = std::make_unique<Block>();
    block->begin = next;
    block->end = next = std::min(count, next + work.block);
    return block;
  };
  const auto make = [&](PipelineItem& item) {
    Block& block = static_cast<Block&>(item);
    for (i64 i = block.begin; i < block.end; ++i) {
      const std::string line = line_of(i);
      block.totals.add_line(line);
      append(block.lines, line, "\n");
    }
  };
  const auto write = [&](PipelineItem& item) {
    const Block& block = static_cast<const Block&>(item);
    out.write(block.lines, block.totals);
    tool.counters().records_out += block.end - block.begin;
  };
  ordered_pipeline(work.blocks, source,
                   {{StageMode::kParallel, make}, {StageMode::kSerial, write}});
}

}  // namespace

void run_task(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const std::optional<std::string> name = task_name(tool);
  if (options.on("list")) return list_tasks(tool, name);
  if (!name)
    throw Error(ErrorKind::kUsage, "no task is named", "lm-synth task --list shows them all");
  const synth::TaskInfo& info = synth::task_named(*name);
  if (options.given("text") && info.name != "cipher")
    throw Error(ErrorKind::kUsage, cat("--text: ", info.name, " reads no text, only cipher does"));
  const synth::Params params(info.name, info.params, options.list("set"));
  const TextFile text(tool);
  synth::TaskSetup setup;
  setup.seed = tool.seed();
  setup.split = static_cast<synth::Split>(
      std::find(synth::split_names().begin(), synth::split_names().end(), options.text("split")) -
      synth::split_names().begin());
  setup.form = form_of(options, info);
  setup.text = text.text();
  const std::unique_ptr<synth::Task> task = info.make(params, setup);

  synth::PlanOptions planned;
  planned.task = info.name;
  planned.seed = tool.seed();
  planned.split = setup.split;
  planned.shares = parse_shares(options.text("shares"));
  planned.distinct = options.on("distinct");
  planned.fewer = !options.maybe_integer("records").has_value();
  planned.records = options.maybe_integer("records").value_or(kUsual);
  tool.set_param("task", io::json_string(info.name));
  tool.set_param("form", io::json_string(setup.form));
  tool.set_param("parameters", params.json());
  const Work work = work_of(*task, tool.seed(), tool.ctx().threads);
  const MemoryCharge charge(*tool.ctx().memory, work.bytes, "records in work");
  const synth::Plan plan = [&] {
    const StageTimer timer(tool.ctx().stages->stage("plan"));
    return synth::Plan(*task, planned, tool.ctx());
  }();
  if (task->id_count() > 0) tool.add_metric("ids", cat(task->id_count()));
  write_records(tool, *task, plan, cat(info.name, "-", options.text("split"), "-"), info.name,
                work);
}

}  // namespace lm::synth_tool
