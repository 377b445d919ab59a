// Attributes in files beside the documents: one folder per experiment, one file per input, one row
// per document in the same order.

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/str.h"
#include "io/frame.h"
#include "io/input.h"
#include "io/made_folders.h"
#include "io/output.h"
#include "tag_tool.h"

namespace lm::tag_tool {

namespace {

/// Attributes that go into one folder: the keys from first to last.
struct Group {
  std::string experiment;
  i64 first = 0;
  i64 last = 0;
};

std::vector<Group> groups_of(const tag::TagPlan& plan) {
  std::vector<Group> groups;
  for (i64 key = 0; key < isize(plan.keys()); ++key) {
    const std::string& experiment = plan.experiment(plan.keys()[usize(key)].tagger);
    if (groups.empty() || groups.back().experiment != experiment)
      groups.push_back({experiment, key, key});
    groups.back().last = key + 1;
  }
  return groups;
}

/// P/X of .../documents/P/X; the file name of any other path.
std::string place_of(const std::string& input) {
  constexpr std::string_view kFolder = "documents/";
  const std::size_t at = input.rfind(kFolder);
  const bool whole = at != std::string::npos && (at == 0 || input[at - 1] == '/');
  const std::string place =
      whole ? input.substr(at + kFolder.size()) : input.substr(input.rfind('/') + 1);
  // What leads out of the folder again is no part of a layout.
  for (const std::string_view part : split(place, '/')) {
    if (part == "..") throw Error(ErrorKind::kUsage, cat(input, ": has .. below documents/"));
  }
  return place;
}

/// The rows of a batch, by group.
struct Rows {
  std::string lines;
  io::StreamTotals totals;
};
using Batches = std::vector<Rows>;

struct Worker {
  io::JsonReader json;
  tag::TagWorker tags;
};

class SidecarRun {
 public:
  SidecarRun(cli::Tool& tool, const Chosen& chosen)
      : tool_(tool),
        plan_(chosen.plan()),
        declare_(chosen.declare()),
        groups_(groups_of(chosen.plan())),
        places_(tool.options().text("field"), chosen.plan()),
        id_(places_.add("id")),
        source_(places_.add("source")),
        workers_([this, &chosen] {
          return std::unique_ptr<Worker>(
              new Worker{io::JsonReader(places_.paths()), chosen.worker()});
        }) {
    std::set<std::string> seen;
    for (const std::string& file : tool.files()) {
      if (file == "-") throw Error(ErrorKind::kUsage, "--sidecar needs named inputs, not -");
      names_.push_back(place_of(file));
      if (names_.back().ends_with(".gz"))
        throw Error(ErrorKind::kUsage,
                    cat(file,
                        ": attributes have their document file's name, and gzip is read, "
                        "never written"),
                    "lm-cat FILE.gz -o FILE.zst first");
      if (!seen.insert(names_.back()).second)
        throw Error(ErrorKind::kUsage,
                    cat(file, ": two inputs have the attribute file ", names_.back()));
    }
  }

  void run() {
    tool_.records_only().run({{StageMode::kParallel, [this](io::Batch& batch) { tag(batch); }},
                              {StageMode::kSerial, [this](io::Batch& batch) { write(batch); }}});
    workers_.each([](Worker& worker) { worker.tags.finish(); });
    // An input may have had no batch at all.
    const std::string& shard = tool_.options().text("shard");
    for (i64 input = 0; input < isize(names_); ++input) {
      if (shard == "0/1" && input > input_) open(input);
    }
    close();
    // All are complete under their temporary names.
    for (const std::unique_ptr<io::OutputStream>& stream : finished_)
      stream->commit();
    folders_.keep();
    tool_.add_metric("sidecar_files", cat(isize(finished_)));
  }

 private:
  static Batches& rows(io::Batch& batch) {
    return *std::any_cast<std::shared_ptr<Batches>&>(batch.user);
  }

  void tag(io::Batch& batch) {
    // Shared only because std::any copies; the batch is the one owner.
    batch.user = std::make_shared<Batches>(groups_.size());
    workers_.with([&](Worker& worker) {
      tool_.records_only().each_record(batch, worker.json, [&](io::Record& record) {
        return add_rows(record, worker.tags, rows(batch));
      });
    });
    for (io::BadRecord& bad : batch.bad)
      if (bad.hint.empty())
        bad.hint = "--sidecar has a row for every document: mend this one or take it out first";
  }

  std::optional<Fault> add_rows(io::Record& record, tag::TagWorker& tags, Batches& out) {
    const io::JsonReader& json = record.json;
    if (!json.has(id_))
      return Fault{"missing", "field \"id\" is missing, which names the document in its attributes",
                   -1};
    const tag::LongForm form = declare_ ? tag::LongForm::kAll : tag::LongForm::kFound;
    if (std::optional<Fault> fault = tag_record(tool_.input(), record, tags, places_, form))
      return fault;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      std::string& lines = out[i].lines;
      const std::size_t begin = lines.size();
      if (const i64 printed = tags.printed_bytes(); printed > 0)
        lines.reserve(begin + usize(printed + 2 * io::kFrameBytes));
      append(lines, "{\"id\":", json.raw(id_),
             ",\"source\":", json.has(source_) ? json.raw(source_) : "\"\"", ",\"attributes\":{");
      tags.append(lines, groups_[i].first, groups_[i].last, declare_, record.batch);
      lines += "}}";
      out[i].totals.add_line(std::string_view(lines).substr(begin));
      lines += '\n';
    }
    return std::nullopt;
  }

  void write(io::Batch& batch) {
    if (batch.input != input_) {
      for (i64 input = input_ + 1; input < batch.input; ++input)
        if (tool_.options().text("shard") == "0/1") open(input);
      open(batch.input);
    }
    totals_.add(batch.in);
    for (std::size_t i = 0; i < groups_.size(); ++i)
      streams_[i]->take(rows(batch)[i].lines, rows(batch)[i].totals);
  }

  /// The files of the next input; those of the one before are complete.
  void open(i64 input) {
    close();
    input_ = input;
    for (const Group& group : groups_) {
      const std::filesystem::path path = std::filesystem::path(tool_.options().text("sidecar")) /
                                         group.experiment / names_[usize(input)];
      folders_.make(path.parent_path().string());
      io::StreamOutputOptions options;
      options.path = path.string();
      options.file = tool_.output_options();
      streams_.push_back(std::make_unique<io::OutputStream>(std::move(options), tool_.ctx()));
      streams_.back()->begin(tool_.header());
    }
  }

  void close() {
    for (std::unique_ptr<io::OutputStream>& stream : streams_) {
      stream->finish({totals_});
      finished_.push_back(std::move(stream));
    }
    streams_.clear();
    totals_ = {};
  }

  cli::Tool& tool_;
  const tag::TagPlan& plan_;
  bool declare_;
  std::vector<Group> groups_;
  tag::FieldPlaces places_;
  i64 id_;
  i64 source_;
  io::WorkerPool<Worker> workers_;
  std::vector<std::string> names_;  // by input, below an experiment's folder
  i64 input_ = -1;                  // whose files are open
  io::MadeFolders folders_;         // before the files in them
  std::vector<std::unique_ptr<io::OutputStream>> streams_;  // by group
  io::StreamTotals totals_;                                 // of the input
  std::vector<std::unique_ptr<io::OutputStream>> finished_;
};

}  // namespace

void run_sidecar(cli::Tool& tool, const Chosen& chosen) {
  const cli::Options& options = tool.options();
  if (tool.files().empty())
    throw Error(ErrorKind::kUsage, "--sidecar needs named inputs, not standard input");
  if (options.text("on-error") != "fail")
    throw Error(ErrorKind::kUsage, cat("--on-error ", options.text("on-error"),
                                       ": --sidecar has a row for every document"));
  if (options.text("shard") != "0/1" && options.text("shard-by") != "file")
    throw Error(ErrorKind::kUsage, "--shard: --sidecar has a row for every document of a file",
                "--shard-by file takes whole files");
  for (const char* const name : {"compress", "seekable", "flush", "skip-complete"}) {
    if (options.asks(*options.find(name)))
      throw Error(ErrorKind::kUsage, cat("--", name, ": --sidecar writes no records"),
                  "attribute files are compressed if the documents' names end in .zst");
  }
  tool.claim_folder(options.text("sidecar"));
  tool.input();
  SidecarRun(tool, chosen).run();
}

}  // namespace lm::tag_tool
