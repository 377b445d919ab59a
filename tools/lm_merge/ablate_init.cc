// ablate init: records to units of equal token counts, and to what is held out from all of them.

#include <algorithm>
#include <set>

#include "ablate.h"
#include "ablate/split.h"
#include "ablate/units.h"
#include "ablate_scratch.h"
#include "common/text_output.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/stages.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::merge_tool {

namespace {

using ablate::Part;

/// The first of NAME, NAME-2, ... that names does not have yet.
std::string fresh_name(const std::string& wish, std::set<std::string>& names) {
  std::string name = wish;
  for (i64 i = 2; !names.insert(name).second; ++i)
    name = cat(wish, "-", i);
  return name;
}

class Splitter {
 public:
  explicit Splitter(cli::Tool& tool) : tool_(tool), options_(tool.options()), records_(tool) {}
  void run();

 private:
  using Numbers = std::vector<i64>;  // of documents
  void mark_overlaps();
  void sort_documents();
  const Numbers& documents_of(i64 key, Part part) const {
    return sorted_[static_cast<std::size_t>(part)][usize(key)];
  }
  void write_units();
  void write_unit(const std::string& key, const std::string& name, const Numbers& documents);
  void write_held_out();
  /// Writes records to a file of the output; counts them, with a digest of lines and tokenizer.
  void write_records(const Numbers& documents, const std::string& file, ablate::Unit& unit);
  void write_shards(const Numbers& documents, ablate::Unit& unit);
  void report();

  cli::Tool& tool_;
  const cli::Options& options_;
  RecordScratch records_;
  std::vector<Numbers> sorted_[3];  // by part and key
  std::unique_ptr<io::AtomicDir> out_;
  ablate::UnitList list_;
  std::set<std::string> names_ = {"valid", "test", ablate::kUnitsFile};
  i64 overlapping_ = 0;
};

void Splitter::mark_overlaps() {
  const f64 most = options_.real("overlap");
  if (most >= 1) return;
  const StageTimer timer(tool_.ctx().stages->stage("overlap"));
  std::vector<Document>& documents = records_.documents();
  ablate::OverlapFilter filter(options_.integer("overlap-tokens"), *tool_.ctx().memory);
  for (i64 i = 0; i < isize(documents); ++i)
    if (documents[usize(i)].part != Part::kUnit) filter.add(records_.tokens_of(i));
  filter.seal();
  parallel_for(isize(documents), 64, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      Document& one = documents[usize(i)];
      if (one.part == Part::kUnit) one.overlaps = filter.share(records_.tokens_of(i)) > most;
    }
  });
  for (const Document& one : documents)
    overlapping_ += one.overlaps ? 1 : 0;
}

void Splitter::sort_documents() {
  for (std::vector<Numbers>& part : sorted_)
    part.resize(records_.keys().size());
  for (i64 i = 0; i < isize(records_.documents()); ++i) {
    const Document& one = records_.documents()[usize(i)];
    if (!one.overlaps && one.tokens > 0)
      sorted_[static_cast<std::size_t>(one.part)][usize(one.key)].push_back(i);
  }
}

void Splitter::write_records(const Numbers& documents, const std::string& file,
                             ablate::Unit& unit) {
  io::StreamOutputOptions options;
  options.path = out_->file(file);
  options.file.sync = false;
  io::OutputStream stream(options, tool_.ctx());
  stream.begin(tool_.header());
  Hash128 digest;
  for (const i64 number : documents) {
    const std::string_view line = records_.line_of(number);
    io::StreamTotals totals;
    totals.add_line(line.substr(0, line.size() - 1));
    stream.write(line, totals);
    const Hash128 own = xxh3_128(line);
    const u64 chain[4] = {digest.lo, digest.hi, own.lo, own.hi};
    digest = xxh3_128({reinterpret_cast<const char*>(chain), sizeof chain});
    unit.tokens += records_.documents()[usize(number)].tokens;
    unit.bytes += isize(line);
  }
  unit.records = isize(documents);
  const Hash128 all = xxh3_128(cat(hex64(digest.hi), hex64(digest.lo), " ", list_.tokenizer));
  unit.digest = cat("xxh3:", hex64(all.hi), hex64(all.lo));
  stream.finish({});
  stream.commit();
}

void Splitter::write_shards(const Numbers& documents, ablate::Unit& unit) {
  text::ShardOptions options;
  options.output.sync = false;
  options.add_eos = records_.ends_documents();
  const std::string prefix = cat(unit.name, "/tokens");
  text::ShardWriter writer(out_->file(prefix), records_.tokenizer(), options);
  for (const i64 number : documents)
    writer.add(records_.tokens_of(number));
  writer.commit();
  unit.shards = prefix + ".json";
}

void Splitter::write_unit(const std::string& key, const std::string& name,
                          const Numbers& documents) {
  ablate::Unit unit;
  unit.name = fresh_name(name, names_);
  unit.key = key;
  unit.records_file = cat(unit.name, "/records.jsonl.zst");
  write_records(documents, unit.records_file, unit);
  write_shards(documents, unit);
  list_.units.push_back(std::move(unit));
}

void Splitter::write_units() {
  const i64 target = options_.maybe_integer("unit-tokens").value_or(0);
  for (const auto& [key, number] : records_.keys()) {
    const Numbers& documents = documents_of(number, Part::kUnit);
    if (documents.empty()) {
      if (!options_.given("by")) continue;  // the end says it
      tool_.console().message(LogLevel::kWarning,
                              cat("nothing of ", quote(key), " is left for a unit"));
      continue;
    }
    std::vector<i64> lengths;
    for (const i64 one : documents)
      lengths.push_back(records_.documents()[usize(one)].tokens);
    const std::vector<i32> units = ablate::cut_into_units(lengths, target);
    const std::string name = ablate::file_name_of(key);
    // Units are in the order of their documents.
    for (std::size_t begin = 0, end = 0; begin < documents.size(); begin = end) {
      while (end < documents.size() && units[end] == units[begin])
        ++end;
      const bool whole = begin == 0 && end == documents.size();
      write_unit(
          key, whole ? name : cat(name, ".", units[begin]),
          {documents.begin() + static_cast<i64>(begin), documents.begin() + static_cast<i64>(end)});
    }
  }
}

void Splitter::write_held_out() {
  for (const auto& [part, folder] : {std::pair{Part::kValid, "valid"}, {Part::kTest, "test"}}) {
    std::set<std::string> names;
    for (const auto& [key, number] : records_.keys()) {
      const Numbers& documents = documents_of(number, part);
      if (documents.empty()) continue;
      const std::string name = fresh_name(ablate::file_name_of(key), names);
      const std::string file = cat(folder, "/", name, ".jsonl.zst");
      ablate::Unit written;
      write_records(documents, file, written);
      list_.held_out.push_back({folder, key, written.records, written.tokens, file});
    }
  }
}

void Splitter::report() {
  if (list_.units.empty())
    throw Error(ErrorKind::kData, "no record is left for a unit",
                "--valid, --test and --overlap say what is held out");
  const auto [least, most] = std::minmax_element(
      list_.units.begin(), list_.units.end(),
      [](const ablate::Unit& a, const ablate::Unit& b) { return a.tokens < b.tokens; });
  const std::string sizes = cat(least->tokens, " to ", most->tokens, " tokens");
  if (static_cast<f64>(most->tokens) > 1.25 * static_cast<f64>(least->tokens)) {
    tool_.console().message(
        LogLevel::kWarning,
        cat("units of ", sizes, ": they are to be nearly equal, --unit-tokens cuts keys"));
  }
  if (overlapping_ > 0)
    tool_.console().message(LogLevel::kInfo,
                            cat(overlapping_, " records overlap with what is held out: left out"));
  tool_.add_metric("units", cat(list_.units.size()));
  tool_.add_metric("keys", cat(records_.keys().size()));
  tool_.add_metric("unit_tokens_least", cat(least->tokens));
  tool_.add_metric("unit_tokens_most", cat(most->tokens));
  tool_.add_metric("overlapping", cat(overlapping_));
  tool_.add_metric("held_out_sets", cat(list_.held_out.size()));
  tool_.set_summary(
      cat(list_.units.size(), " units of ", sizes, ", ", list_.held_out.size(), " held-out sets"));
}

void Splitter::run() {
  const std::string& output = options_.text("output");
  tool_.claim_folder(output);
  io::check_replaceable(output, "set of units",
                        [](const std::string& name) { return name == ablate::kUnitsFile; });
  records_.read();
  mark_overlaps();
  sort_documents();
  list_.tokenizer = records_.tokenizer().sha256;
  out_ = std::make_unique<io::AtomicDir>(output, tool_.output_options(), true);
  {
    const StageTimer timer(tool_.ctx().stages->stage("write"));
    write_units();
    write_held_out();
  }
  report();
  const std::string more =
      cat(",\"by\":", io::json_string(options_.text("by")),
          ",\"unit_target_tokens\":", options_.maybe_integer("unit-tokens").value_or(0),
          ",\"valid\":", options_.real("valid"), ",\"test\":", options_.real("test"),
          ",\"seed\":", tool_.seed(), ",\"overlapping\":", overlapping_);
  io::write_file(out_->file(ablate::kUnitsFile), ablate::units_json(list_, more));
  out_->commit();
}

}  // namespace

void run_ablate_init(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (options.text("output") == "-")
    throw Error(ErrorKind::kUsage, "ablate init needs -o FOLDER for its units");
  if (!options.given("tokenizer"))
    throw Error(ErrorKind::kUsage, "ablate init needs --tokenizer, by which units are equal",
                "the folder of the model that training will start from has one");
  tool_options::refuse_options(tool, {"compress", "seekable"},
                               "writes a folder of .jsonl.zst files");
  const bool holds_out = options.real("valid") + options.real("test") > 0;
  for (const char* const name : {"overlap", "overlap-tokens"}) {
    if (options.asked(name) && !holds_out)
      throw Error(ErrorKind::kUsage, cat("--", name, " needs --valid or --test above 0"),
                  "it compares with what is held out");
  }
  if (options.real("overlap") >= 1 && options.asked("overlap-tokens"))
    throw Error(ErrorKind::kUsage, "--overlap-tokens needs --overlap below 1",
                "1 leaves no record out, whatever overlaps");
  if (options.real("valid") + options.real("test") > 1)
    throw Error(ErrorKind::kUsage, "--valid and --test hold out more than there is");
  tool.add_input_folder(options.text("tokenizer"));
  tool.input();
  Splitter(tool).run();
}

}  // namespace lm::merge_tool
