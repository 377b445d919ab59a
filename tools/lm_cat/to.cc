#include "to.h"

#include <algorithm>
#include <map>

#include "common/text_output.h"
#include "core/str.h"
#include "from.h"
#include "io/object_fields.h"
#include "parquet/json_writer.h"

namespace lm::cat_tool {

namespace {

using cli::FlagKind;

const std::map<std::string, parquet::PageCodec> kCodecs = {{"zstd", parquet::PageCodec::kZstd},
                                                           {"snappy", parquet::PageCodec::kSnappy},
                                                           {"gzip", parquet::PageCodec::kGzip},
                                                           {"none", parquet::PageCodec::kNone}};

class ParquetRun {
 public:
  ParquetRun(cli::Tool& tool, const std::vector<parquet::OutColumn>& columns,
             const parquet::WriterOptions& options)
      : tool_(tool),
        json_(parquet::JsonWriter::paths(columns)),
        writer_(tool.options().text("output"), columns, options, tool.ctx()) {
    has_.resize(usize(json_.path_count()));
    for (const parquet::OutColumn& column : columns)
      roots_.push_back(column.name.substr(0, column.name.find('.')));
  }

  void run() {
    const i64 limit = tool_.options().maybe_integer("head").value_or(-1);
    io::RecordRun& records = tool_.records_only();
    records.run({{StageMode::kSerial, [&](io::Batch& batch) {
                    records.each_record(batch, json_, [&](io::Record&) -> std::optional<Fault> {
                      if (writer_.rows() == limit) return std::nullopt;
                      if (std::optional<Fault> fault = writer_.add(json_)) return fault;
                      note_others();
                      for (std::size_t i = 0; i < has_.size(); ++i)
                        has_[i] = has_[i] || json_.has(static_cast<i64>(i));
                      return std::nullopt;
                    });
                    for (io::BadRecord& bad : batch.bad) {
                      if (bad.hint.empty() && bad.fault.code == "type")
                        bad.hint =
                            "--fields PATH:TYPE,... gives a column its type: string, json, int, "
                            "float, bool, strings; json takes any value, such as ids of both kinds";
                    }
                    if (writer_.rows() == limit) tool_.input().stop(batch);
                  }}});
    writer_.close();
    tool_.add_metric("parquet", cat("{\"rows\":", writer_.rows(),
                                    ",\"fields_left_out\":", left_out_json(), "}"));
    warn_of_empty();
    if (others_.empty()) return;
    std::string names;
    for (const auto& [name, count] : others_)
      append(names, names.empty() ? "" : ", ", quote(name, 40), " of ", count);
    tool_.console().message(LogLevel::kWarning,
                            cat("fields without a column are not in the file: ", names,
                                " records (--fields names those that are)"));
  }

 private:
  static constexpr i64 kMostNames = 64;

  /// A column that was asked for and that no record had.
  void warn_of_empty() {
    if (writer_.rows() == 0 || !tool_.options().asked("fields")) return;
    for (std::size_t i = 0; i < has_.size(); ++i) {
      if (!has_[i])
        tool_.console().message(LogLevel::kWarning,
                                cat("column ", quote(json_.path(static_cast<i64>(i))),
                                    " is null in all rows: no record has the field"));
    }
  }

  /// Fields of the record that no column takes: what is left out is said.
  void note_others() {
    io::each_object_field(json_.line(), [&](std::string_view key, std::string_view) {
      if (std::find(roots_.begin(), roots_.end(), key) != roots_.end()) return;
      const auto at = others_.find(key);
      if (at != others_.end()) {
        ++at->second;
      } else if (isize(others_) < kMostNames) {
        others_.emplace(key, 1);
      }
    });
  }

  std::string left_out_json() const {
    std::string out = "{";
    for (const auto& [name, count] : others_)
      append(out, out.size() > 1 ? ",\"" : "\"", name, "\":", count);  // as it is spelt in JSON
    return out + "}";
  }

  cli::Tool& tool_;
  io::JsonReader json_;
  parquet::JsonWriter writer_;
  std::vector<std::string> roots_;
  std::vector<bool> has_;  // by column: whether any record had it
  std::map<std::string, i64, std::less<>> others_;
};

}  // namespace

std::vector<cli::Flag> to_flags() {
  const std::string g = "Other formats";
  // A Parquet file has no header of the stream to say them in.
  return {
      {.name = "to",
       .kind = FlagKind::kChoice,
       .value_name = "FORMAT",
       .group = g,
       .def = "jsonl",
       .help = "what the output is; parquet needs -o FILE",
       .choices = {"jsonl", "parquet"},
       .semantic = false,
       .main = true,
       .excludes = {"check", "header", "compare", "split"}},
      {.name = "fields",
       .kind = FlagKind::kString,
       .value_name = "PATH[:TYPE],...",
       .group = g,
       .def = "id,text,source,metadata:json",
       .help = "the columns of a Parquet file: fields of the records",
       .details = "TYPE is string (when none is given), json (any value, as its text), int, float, "
                  "bool or strings (a list). A record whose field has another type is a bad one; "
                  "one without the field gets null. Fields that no column takes are named at the "
                  "end.",
       .semantic = false,
       .needs = {"to=parquet"}},
      {.name = "codec",
       .kind = FlagKind::kChoice,
       .value_name = "NAME",
       .group = g,
       .def = "zstd",
       .help = "how the pages of a Parquet file are packed",
       .choices = {"zstd", "snappy", "gzip", "none"},
       .semantic = false,
       .needs = {"to=parquet"}},
  };
}

bool wants_other(const cli::Options& options) {
  return options.text("to") != "jsonl";
}

void run_to_parquet(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const std::string& path = options.text("output");
  if (path == "-") throw Error(ErrorKind::kUsage, "--to parquet needs -o FILE");
  tool_options::refuse_options(tool, {"compress", "seekable", "flush", "skip-complete"},
                               "writes a Parquet file, which is no stream",
                               "--codec chooses how pages are packed");
  if (options.text("validate") == "full")
    throw Error(ErrorKind::kUsage, "--validate=full is of records that are copied");
  std::vector<parquet::OutColumn> columns;
  for (const std::string_view field : split(options.text("fields"), ','))
    columns.push_back(parquet::parse_column(trim(field)));
  From from(tool);
  tool.claim_output(path);
  parquet::WriterOptions how;
  how.codec = kCodecs.at(options.text("codec"));
  how.created_by = cat("lm-cat (lm-tools) ", cli::kToolkitVersion);
  how.file = tool.output_options();
  tool.input();
  ParquetRun(tool, columns, how).run();
  from.finish();
}

}  // namespace lm::cat_tool
