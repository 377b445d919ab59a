#include "common/sidecars.h"

#include "core/str.h"
#include "io/json.h"
#include "mix/sample.h"

namespace lm::tool_options {

namespace {

mix::AttributeMerge merge_of(const cli::Options& options) {
  const std::string& how = options.text("attr-merge");
  return how == "append"  ? mix::AttributeMerge::kAppend
         : how == "error" ? mix::AttributeMerge::kError
                          : mix::AttributeMerge::kReplace;
}

}  // namespace

std::vector<cli::Flag> sidecar_flags(const char* also) {
  using cli::FlagKind;
  const std::string g = "Attribute files";
  return {
      {.name = "sidecar",
       .kind = FlagKind::kList,
       .value_name = "FOLDER",
       .group = g,
       .help = "take attributes from the files of FOLDER too; may be repeated",
       .details =
           "For documents/P/X the file FOLDER/P/X, for other inputs FOLDER/X: a row for each "
           "record, with its id, in the same order. Anything else ends the run.",
       .semantic = false,
       .main = true,
       .excludes = {"shard", "skip-complete"}},
      {.name = "attr-merge",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = g,
       .def = "replace",
       .help =
           "an attribute that the record has already is replaced, appended to, or the record is "
           "bad",
       .choices = {"replace", "append", "error"},
       .needs = {also == nullptr ? "sidecar" : cat("sidecar|", also)}},
  };
}

std::vector<std::vector<std::string>> sidecar_paths(const cli::Options& options,
                                                    const std::vector<std::string>& documents) {
  std::vector<std::vector<std::string>> out;
  for (const std::string& folder : options.list("sidecar")) {
    std::vector<std::string>& files = out.emplace_back();
    for (const std::string& document : documents)
      files.push_back(mix::sidecar_path(folder, document));
  }
  return out;
}

Sidecars::Sidecars(cli::Tool& tool, const cli::Options& options, Fields fields,
                   const std::vector<std::vector<std::string>>& paths,
                   const std::vector<std::string>& documents, i64 first)
    : tool_(tool), fields_(fields), first_(first), merge_(merge_of(options)) {
  for (const std::vector<std::string>& folder : paths) {
    folders_.push_back(std::make_unique<mix::SidecarRows>(
        folder, documents, tool.options().integer("max-record"), tool.ctx()));
    for (const std::string& path : folder)
      tool.add_input(path);
  }
}

void Sidecars::take(io::Batch& batch) {
  // Shared only because std::any copies; the batch is the one owner.
  const std::shared_ptr<BatchRows> rows = std::make_shared<BatchRows>();
  std::string_view rest = batch.lines();
  for (i64 number = batch.first_line + 1; !rest.empty(); ++number) {
    const std::size_t lf = rest.find('\n');
    std::string_view line = rest.substr(0, lf);
    rest.remove_prefix(lf + 1);
    if (number == 1 && line.starts_with(io::kByteOrderMark))
      line.remove_prefix(io::kByteOrderMark.size());
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) rows->lines.push_back(number);
  }
  rows->rows.resize(folders_.size());
  rows->row_lines.resize(folders_.size());
  for (std::size_t i = 0; i < folders_.size(); ++i)
    folders_[i]->take(batch.input - first_, isize(rows->lines), rows->rows[i], rows->row_lines[i]);
  batch.user = rows;
}

void Sidecars::end() {
  for (const std::unique_ptr<mix::SidecarRows>& folder : folders_)
    folder->end(isize(folder->paths()) - 1);
}

Sidecars::Joiner::Joiner(const Sidecars& sidecars)
    : sidecars_(sidecars), row_({"id", "attributes"}) {}

std::optional<Fault> Sidecars::Joiner::join(const io::Batch& batch, io::Record& record) {
  const BatchRows& rows = *std::any_cast<const std::shared_ptr<BatchRows>&>(batch.user);
  if (batch_ != batch.number) next_ = 0;
  batch_ = batch.number;
  // Records that could not be read have rows, too.
  while (rows.lines[next_] != record.line_number)
    ++next_;
  const Fields& fields = sidecars_.fields_;
  const Result<std::string_view> id = mix::id_text(record.json, fields.id);
  if (!id) return id.fault();
  if (std::optional<Fault> fault = record.json.object_or_none(fields.attributes)) return fault;
  merged_ = record.json.has(fields.attributes) ? record.json.raw(fields.attributes) : "";
  for (std::size_t i = 0; i < sidecars_.folders_.size(); ++i) {
    const std::string& row = rows.rows[i][next_];
    const auto refuse = [&](std::string_view what) {
      throw Error(ErrorKind::kData,
                  cat(sidecars_.folders_[i]->path(record.input - sidecars_.first_), ":",
                      rows.row_lines[i][next_], ": ", what));
    };
    padded_.assign(row).append(usize(io::kJsonPadding), '\0');
    if (const std::optional<Fault> fault =
            row_.parse(std::string_view(padded_).substr(0, row.size())))
      refuse(fault->detail);
    const Result<std::string_view> row_id = mix::id_text(row_, 0);
    if (!row_id) refuse(row_id.fault().detail);
    if (*row_id != *id)
      refuse(cat("id ", quote(*row_id), ", expected ", quote(*id), " of ",
                 sidecars_.tool_.files()[usize(record.input)], ":", record.line_number));
    if (row_.field(1).type != io::JsonType::kObject)
      refuse(cat("field \"attributes\" is ", io::json_type_name(row_.field(1).type),
                 ", expected an object"));
    line_.clear();
    if (std::optional<Fault> fault =
            mix::merge_attributes(merged_, row_.raw(1), sidecars_.merge_, line_))
      return fault;
    merged_.swap(line_);
  }
  io::RecordEdit edit(record.json);
  edit.set(fields.attributes, merged_);
  line_.clear();
  edit.write(line_);
  const std::size_t size = line_.size() - 1;
  line_.append(usize(io::kJsonPadding), '\0');
  record.line = std::string_view(line_).substr(0, size);
  return record.json.parse(record.line);
}

}  // namespace lm::tool_options
