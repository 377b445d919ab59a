// A run: the streams of the command line or of a recipe, read one after another as one list of
// inputs, so that bad records, progress and reports are as in every other program.

#include <algorithm>
#include <numeric>

#include "common/text_output.h"
#include "core/str.h"
#include "io/file_header.h"
#include "io/json.h"
#include "recipe.h"
#include "stream_run.h"

namespace lm::mix_tool {

namespace {

/// The command line's own stream.
Stream own_stream(cli::Tool& tool) {
  Stream out;
  out.options.options = tool.options();
  out.documents = tool.files().empty() ? std::vector<std::string>{"-"} : tool.files();
  out.sidecars = tool_options::sidecar_paths(tool.options(), out.documents);
  if (tool.options().given("max-size") && !tool.options().on("report-only")) {
    out.parts = part_names(tool.options().text("output"));
    out.max_bytes = tool.options().integer("max-size");
    find_outputs(tool, out);  // refuses what is there
  }
  return out;
}

std::vector<Stream> streams_of(cli::Tool& tool) {
  const std::string& recipe = tool.options().text("recipe");
  std::vector<Stream> out;
  if (recipe.empty()) {
    out.push_back(own_stream(tool));
    return out;
  }
  if (!tool.files().empty())
    throw Error(ErrorKind::kUsage, cat(tool.files()[0], ": --recipe names the documents"));
  const bool writes = !tool.options().on("report-only");
  if (writes && tool.options().asked("output"))
    throw Error(ErrorKind::kUsage, "--output: --recipe names the outputs");
  std::vector<Stream> streams = read_recipe(tool, recipe);
  std::vector<Found> found(streams.size(), Found::kNothing);
  for (std::size_t i = 0; i < streams.size() && writes; ++i)
    found[i] = find_outputs(tool, streams[i]);
  // A run that was cut short goes on: what it had completed stays.
  const bool resumed = std::find(found.begin(), found.end(), Found::kUnfinished) != found.end();
  std::vector<std::string> files;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    Stream& stream = streams[i];
    if (found[i] == Found::kComplete) {
      if (!resumed && !tool.options().on("skip-complete")) refuse_outputs(stream);
      tool.console().message(LogLevel::kInfo, cat("stream ", stream.name, ": complete already"));
      continue;
    }
    if (found[i] == Found::kUnfinished)
      tool.console().message(LogLevel::kInfo, cat("stream ", stream.name,
                                                  ": what a run left that was cut short is "
                                                  "made anew"));
    files.insert(files.end(), stream.documents.begin(), stream.documents.end());
    out.push_back(std::move(stream));
  }
  if (out.empty()) throw cli::AlreadyComplete{};
  tool.set_files(std::move(files));
  return out;
}

class MixRun {
 public:
  explicit MixRun(cli::Tool& tool) : tool_(tool) {
    i64 first = 0;
    for (Stream& stream : streams_of(tool)) {
      const i64 count = isize(stream.documents);
      streams_.push_back(std::make_unique<StreamRun>(tool, std::move(stream), first));
      first += count;
    }
  }

  void run() {
    const io::InputStream& in = tool_.input();
    begin();
    const bool direct = out_ != nullptr;
    io::RecordRun& records = direct && !kept_aside() ? tool_.records() : tool_.records_only();
    read(records, in);
    for (const std::unique_ptr<StreamRun>& stream : streams_)
      stream->end_reading(rejected(records, in, *stream));
    for (const std::unique_ptr<StreamRun>& stream : streams_)
      stream->write_rest();
    report();
    commit();
  }

 private:
  void commit() {
    std::vector<Parts*> all;
    for (const std::unique_ptr<StreamRun>& stream : streams_) {
      if (stream->parts() != nullptr) all.push_back(stream->parts());
    }
    for (Parts* const parts : all)
      parts->commit_list();
    for (Parts* const parts : all)
      parts->commit_outputs();
    for (Parts* const parts : all)
      parts->commit_manifest();
  }

  bool of_recipe() const { return !streams_[0]->stream().name.empty(); }

  /// Whether records reach the output only after all were read.
  bool kept_aside() const {
    const Plan& plan = streams_[0]->plan();
    return plan.weights || plan.best > 0 || plan.shuffle;
  }

  std::vector<io::StreamHeader> headers_of(const Stream& stream) {
    if (!of_recipe()) return tool_.input().headers();
    std::vector<io::StreamHeader> out;
    for (const std::string& document : stream.documents) {
      if (std::optional<io::StreamHeader> header = io::file_header(document))
        out.push_back(std::move(*header));
    }
    return out;
  }

  void begin() {
    const bool writes = !tool_.options().on("report-only");
    if (!writes) {
      tool_options::refuse_output_options(tool_);
      table_.emplace(tool_);
    } else if (!of_recipe() && !streams_[0]->stream().parts) {
      out_ = &tool_.output();  // is there before a pipe's header, which may take its time
    }
    i64 shuffles = 0;
    for (const std::unique_ptr<StreamRun>& stream : streams_) {
      stream->check(headers_of(stream->stream()));
      shuffles += stream->plan().shuffle ? 1 : 0;
    }
    const i64 shuffle_bytes = tool_.ctx().memory->limit() / 2 / std::max<i64>(1, shuffles);
    for (const std::unique_ptr<StreamRun>& stream : streams_)
      stream->begin(out_, writes, shuffle_bytes);
  }

  StreamRun& stream_of(const io::Batch& batch) const {
    for (const std::unique_ptr<StreamRun>& stream : streams_) {
      if (stream->holds(batch.input)) return *stream;
    }
    LM_CHECK(false, "every input is a stream's");
  }

  void read(io::RecordRun& records, const io::InputStream& in) {
    const auto any = [this](bool (StreamRun::*has)() const) {
      return std::any_of(streams_.begin(), streams_.end(),
                         [has](const std::unique_ptr<StreamRun>& one) { return (*one.*has)(); });
    };
    std::vector<io::BatchStage> stages;
    if (any(&StreamRun::has_sidecars)) {
      stages.push_back({StageMode::kSerial, [this](io::Batch& batch) {
                          StreamRun& stream = stream_of(batch);
                          if (stream.has_sidecars()) stream.take(batch);
                        }});
    }
    stages.push_back({StageMode::kParallel,
                      [&](io::Batch& batch) { stream_of(batch).mix(records, in, batch); }});
    if (any(&StreamRun::keeps))
      stages.push_back(
          {StageMode::kSerial, [this](io::Batch& batch) { stream_of(batch).keep(batch); }});
    records.run(stages);
  }

  i64 rejected(const io::RecordRun& records, const io::InputStream& in,
               const StreamRun& stream) const {
    if (!of_recipe())
      return std::accumulate(records.errors().begin(), records.errors().end(), i64{0},
                             [](i64 sum, const auto& error) { return sum + error.second; });
    i64 read = 0;
    for (i64 i = 0; i < isize(in.inputs()); ++i)
      read += stream.holds(i) ? in.inputs()[usize(i)].totals.records : 0;
    return read - stream.good();
  }

  void report() {
    std::string all;
    std::string text;
    for (const std::unique_ptr<StreamRun>& stream : streams_) {
      append(all,
             all.empty() ? "[{\"name\":" : ",{\"name\":", io::json_string(stream->stream().name));
      for (const auto& [name, value] : stream->metrics()) {
        if (!of_recipe()) tool_.add_metric(name, value);
        append(all, ",", io::json_string(name), ":", value);
      }
      all += "}";
      append(text, text.empty() ? "" : "\n", stream->table());
    }
    if (of_recipe()) tool_.add_metric("streams", all + "]");
    if (table_) table_->write(text);
  }

  cli::Tool& tool_;
  std::vector<std::unique_ptr<StreamRun>> streams_;
  std::optional<tool_options::TextOutput> table_;  // instead of records
  io::OutputStream* out_ = nullptr;
};

}  // namespace

void run_mix(cli::Tool& tool) {
  MixRun(tool).run();
}

}  // namespace lm::mix_tool
