#include "cli/tool.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/parallel.h"
#include "core/str.h"
#include "io/file.h"
#include "io/file_header.h"
#include "io/json.h"

namespace lm::cli {

Tool::Tool(const ToolSpec& spec, std::string verb, Options options,
           std::vector<std::string> operands, std::vector<std::string> args, Console& console,
           const Context& ctx)
    : spec_(spec),
      verb_(std::move(verb)),
      options_(std::move(options)),
      files_(std::move(operands)),
      args_(std::move(args)),
      console_(console),
      ctx_(ctx),
      start_s_(monotonic_s()),
      started_(utc_now_rfc3339()) {}

Tool::~Tool() = default;

void Tool::set_param(const std::string& name, const std::string& value_json) {
  params_[name] = value_json;
}
void Tool::add_metric(const std::string& name, const std::string& value_json) {
  metrics_[name] = value_json;
}

void Tool::set_rank(i64 rank) {
  rank_ = rank;
  console_.set_rank(rank);
}

void Tool::end(int status) const {
  if (at_end_) at_end_(status);
}

void Tool::expand_files() {
  if (!spec_.streams_in(verb_)) return;
  std::string lists;
  for (const char* option : {"files-from", "files0-from"}) {
    const std::string& list = options_.text(option);
    if (list.empty()) continue;
    append(lists, lists.empty() ? "" : " and ", list);
    const std::string text = io::read_file(list == "-" ? "/dev/stdin" : list);
    const char separator = option[5] == '0' ? '\0' : '\n';
    for (std::string_view name : split(text, separator)) {
      if (separator == '\n' && !name.empty() && name.back() == '\r') name.remove_suffix(1);
      if (!name.empty()) files_.emplace_back(name);
    }
  }
  // A list without names is not a wish to read standard input.
  if (!lists.empty() && files_.empty()) {
    if (!options_.on("allow-empty")) {
      throw Error(ErrorKind::kNoInput, cat(lists, ": names no file"), "--allow-empty accepts that");
    }
    files_.emplace_back("/dev/null");
  }
  if (std::count(files_.begin(), files_.end(), "-") > 1) {
    throw Error(ErrorKind::kUsage, "standard input ('-') is named twice");
  }
}

namespace {

namespace fs = std::filesystem;

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Absolute, without links, as far as it exists; a link to what is not there yet is followed too.
std::string resolved_path(const std::string& path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  fs::path at = fs::absolute(path);
  for (int i = 0; i < kMostLinks && fs::is_symlink(at, error) && !fs::exists(at, error); ++i)
    at = at.parent_path() / fs::read_symlink(at, error);
  std::string out = fs::weakly_canonical(at, error).string();
  while (out.size() > 1 && out.back() == '/')
    out.pop_back();
  return out;
}

// Both resolved; a folder lies in itself.
bool lies_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) &&
         (path.size() == folder.size() || folder == "/" || path[folder.size()] == '/');
}

[[noreturn]] void refuse_both(const std::string& path, const std::string& of_folder) {
  if (of_folder.empty())
    throw Error(ErrorKind::kUsage, cat(path, ": is an input and an output"),
                "write to another name, then rename");
  throw Error(ErrorKind::kUsage, cat(path, ": an output in ", of_folder, ", which is an input"),
              "name one outside of it");
}

}  // namespace

void Tool::claim_output(const std::string& path) {
  struct stat out {};
  const bool exists = ::stat(path.c_str(), &out) == 0;
  if (path == "-" || (exists && !S_ISREG(out.st_mode))) return;
  claim(path, false);
}

void Tool::claim_folder(const std::string& path) {
  if (path != "-") claim(path, true);
}

void Tool::claim(const std::string& path, bool folder) {
  for (const char* const suffix : {".gz", ".xz", ".bz2"}) {
    if (path.ends_with(suffix)) {
      throw Error(ErrorKind::kUsage,
                  cat(path, ": outputs are zstd (.zst) or plain lines, never ", suffix),
                  cat("name it .zst, or pipe plain lines on: ", spec_.name, " -z none ... | gzip"));
    }
  }
  const std::string resolved = resolved_path(path);
  for (const Claimed& other : claimed_) {
    if (other.resolved != resolved) continue;
    report_refused_ = report_refused_ || other.given == options_.text("report");
    throw Error(ErrorKind::kUsage, cat(path, ": is named for two outputs"));
  }
  claimed_.push_back({path, resolved, folder});
  refuse_input(path);
  if (!folder) return;
  for (const std::string& file : known_inputs()) {
    if (file != "-" && io::path_exists(file) && lies_in(resolved_path(file), resolved))
      throw Error(ErrorKind::kUsage, cat(path, ": an output that holds ", file, ", an input"),
                  "write to another name, then rename");
  }
}

std::vector<std::string> Tool::known_inputs() const {
  std::vector<std::string> inputs = files_;
  if (inputs.empty() && spec_.streams_in(verb_)) inputs.emplace_back("-");
  inputs.insert(inputs.end(), more_inputs_.begin(), more_inputs_.end());
  for (const Flag& flag : options_.flags()) {
    if (flag.kind == FlagKind::kPath && !flag.writes && options_.given(flag.name))
      inputs.push_back(options_.text(flag.name));
  }
  return inputs;
}

void Tool::refuse_input(const std::string& path) const {
  if (path.starts_with("fd:")) return;
  for (const std::string& folder : input_folders_)
    if (const std::string in = resolved_path(folder), out = resolved_path(path); lies_in(out, in))
      refuse_both(path, in == out ? std::string() : folder);
  struct stat out {};
  if (::stat(path.c_str(), &out) != 0) return;
  for (const std::string& file : known_inputs()) {
    struct stat in {};
    if (file == "-" ? ::fstat(STDIN_FILENO, &in) != 0 : ::stat(file.c_str(), &in) != 0) continue;
    if (same_file(in, out)) refuse_both(path, {});
  }
}

void Tool::refuse_claimed(const std::string& path, const std::string& of_folder) {
  report_refused_ = report_refused_ || path == options_.text("report");
  refuse_both(path, of_folder);
}

void Tool::add_input(const std::string& path) {
  more_inputs_.push_back(path);
  struct stat in {};
  if (::stat(path.c_str(), &in) != 0) return;
  const std::string resolved = resolved_path(path);
  for (const Claimed& claimed : claimed_) {
    struct stat out {};
    if (::stat(claimed.resolved.c_str(), &out) != 0) continue;
    if (same_file(in, out) || (claimed.folder && lies_in(resolved, claimed.resolved)))
      refuse_claimed(claimed.given, {});
  }
}

void Tool::add_input_folder(const std::string& path) {
  std::error_code error;
  add_input(path);
  if (!fs::is_directory(path, error)) return;
  input_folders_.push_back(path);
  const std::string resolved = resolved_path(path);
  for (const Claimed& claimed : claimed_) {
    if (!claimed.given.starts_with("fd:") && lies_in(claimed.resolved, resolved))
      refuse_claimed(claimed.given, path);
  }
  std::vector<std::string> files;  // by name: which of them an error names, the order decides
  for (fs::directory_iterator at(path, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored)) files.push_back(at->path().string());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files)
    add_input(file);
}

namespace {

io::Shard parse_shard(const Options& options) {
  const std::string& text = options.text("shard");
  const std::size_t slash = text.find('/');
  const std::optional<i64> index = slash == std::string::npos
                                       ? std::nullopt
                                       : parse_int(std::string_view(text).substr(0, slash));
  const std::optional<i64> count = slash == std::string::npos
                                       ? std::nullopt
                                       : parse_int(std::string_view(text).substr(slash + 1));
  if (!index || !count || *count < 1 || *index < 0 || *index >= *count) {
    throw Error(ErrorKind::kUsage, cat("--shard: ", quote(text), " is not I/N with 0 <= I < N"));
  }
  return {*index, *count, options.text("shard-by") == "file"};
}

io::ErrorPolicy parse_policy(const Options& options) {
  io::ErrorPolicy policy;
  const std::string& mode = options.text("on-error");
  policy.mode = mode == "skip"         ? io::OnError::kSkip
                : mode == "quarantine" ? io::OnError::kQuarantine
                : mode == "annotate"   ? io::OnError::kAnnotate
                                       : io::OnError::kFail;
  const std::string& limit = options.text("max-errors");
  if (limit.ends_with("%")) {
    const std::optional<f64> percent =
        parse_float(std::string_view(limit).substr(0, limit.size() - 1));
    if (!percent || *percent < 0 || *percent > 100) {
      throw Error(ErrorKind::kUsage,
                  cat("--max-errors: ", quote(limit), " is not a number or a percentage"));
    }
    policy.max_error_percent = *percent;
  } else {
    const std::optional<i64> count = parse_count(limit);
    if (!count || *count < 0) {
      throw Error(ErrorKind::kUsage,
                  cat("--max-errors: ", quote(limit), " is not a number or a percentage"));
    }
    policy.max_errors = *count;
  }
  return policy;
}

}  // namespace

io::Shard Tool::shard() const {
  return parse_shard(options_);
}

io::OutputOptions Tool::output_options() const {
  return {.sync = options_.on("sync"), .rename = options_.on("rename")};
}

void Tool::need_input() const {
  if (files_.empty() && ::isatty(STDIN_FILENO)) throw NothingToRead{};
}

io::InputStream& Tool::input() {
  if (input_) return *input_;
  need_input();
  io::InputOptions in;
  in.files = files_;
  in.convert = convert_;
  in.shard = shard();
  in.max_record_bytes = options_.integer("max-record");
  in.allow_empty = options_.on("allow-empty");
  in.expect_end = options_.on("expect-end");
  in.latency = options_.text("flush") == "latency";
  input_ = std::make_unique<io::InputStream>(std::move(in), ctx_);
  input_seen_.store(input_.get());
  ctx_.memory->watch_input([in = input_.get()] {
    if (in->bytes_total() < 0) return -1.0;
    return in->bytes_total() == 0
               ? 1.0
               : static_cast<f64>(in->bytes_read()) / static_cast<f64>(in->bytes_total());
  });
  return *input_;
}

io::StreamHeader Tool::header() {
  io::StreamHeader header;
  header.tool = spec_.name;
  header.version = kToolkitVersion;
  header.seed = ctx_.seed;
  std::string params = options_.params_json();
  if (!verb_.empty())
    params =
        cat("{\"verb\":", io::json_string(verb_), params.size() > 2 ? "," : "", params.substr(1));
  for (const auto& [name, value] : params_) {
    params.pop_back();
    append(params, params.size() > 1 ? "," : "", io::json_string(name), ":", value, "}");
  }
  header.params_json = params;
  return header;
}

void Tool::check_skip_complete() {
  if (!options_.on("skip-complete")) return;
  const std::string& path = options_.text("output");
  struct stat out {};
  if (path == "-" || ::stat(path.c_str(), &out) != 0) return;
  const std::optional<io::StreamHeader> old = io::finished_header(path);
  const io::StreamHeader now = header();
  if (!old || old->self_json() != now.self_json()) return;
  for (const std::string& file : files_) {
    struct stat in {};
    if (file == "-" || ::stat(file.c_str(), &in) != 0 || in.st_mtim.tv_sec > out.st_mtim.tv_sec ||
        (in.st_mtim.tv_sec == out.st_mtim.tv_sec && in.st_mtim.tv_nsec > out.st_mtim.tv_nsec)) {
      return;
    }
  }
  console_.message(LogLevel::kInfo, cat(path, ": complete already"));
  throw AlreadyComplete{};
}

io::OutputStream& Tool::output() {
  if (output_) return *output_;
  const std::string& path = options_.text("output");
  claim_output(path);
  if (path == "-") refuse_stdout_that_is_input();
  const std::optional<io::Compression> compression =
      io::parse_compression(options_.text("compress"));
  if (!compression) {
    throw Error(ErrorKind::kUsage,
                cat("--compress: ", quote(options_.text("compress")),
                    " is not auto, none, stored or zstd[:LEVEL] with LEVEL from -50 to 22"));
  }
  check_skip_complete();
  io::StreamOutputOptions out;
  out.path = path;
  out.compression = *compression;
  out.seekable = options_.on("seekable");
  out.latency = options_.text("flush") == "latency";
  out.file = output_options();
  output_ = std::make_unique<io::OutputStream>(std::move(out), ctx_);
  io::StreamHeader mine = header();
  if (input_) {
    for (const io::StreamHeader& above : input_->headers())
      mine.add_input(above);
  }
  output_->begin(mine);
  return *output_;
}

io::RecordRun& Tool::make_run(bool with_output) {
  if (run_) return *run_;
  io::InputStream& in = input();
  const io::ErrorPolicy policy = parse_policy(options_);
  const std::string& rejects = options_.text("rejects");
  if (policy.mode == io::OnError::kQuarantine && rejects.empty()) {
    throw Error(ErrorKind::kUsage, "--on-error quarantine needs --rejects FILE");
  }
  if (!rejects.empty()) {
    if (policy.mode != io::OnError::kQuarantine) {
      throw Error(ErrorKind::kUsage, cat("--rejects needs --on-error quarantine, which is ",
                                         options_.text("on-error")));
    }
    claim_output(rejects);
    io::StreamOutputOptions form;
    form.path = rejects;
    form.compression.codec = rejects.ends_with(".zst") ? io::Codec::kZstd : io::Codec::kNone;
    form.file = output_options();
    rejects_ = std::make_unique<io::OutputStream>(std::move(form), ctx_);
    rejects_->begin(header());
  }
  io::OutputStream* out = with_output ? &output() : nullptr;
  run_ = std::make_unique<io::RecordRun>(in, out, rejects_.get(), policy, ctx_, counters_);
  return *run_;
}

io::RecordRun& Tool::records() {
  return make_run(true);
}
io::RecordRun& Tool::records_only() {
  return make_run(false);
}

io::AtomicFile& Tool::other_output(const std::string& path) {
  claim_output(path);
  others_.push_back(std::make_unique<io::AtomicFile>(path, output_options()));
  return *others_.back();
}

std::string Tool::unfinished_file() const {
  if (output_ && !output_->to_stdout()) return options_.text("output");
  for (const std::unique_ptr<io::AtomicFile>& file : others_)
    if (!file->committed()) return file->path();
  if (rejects_ && !rejects_->committed()) return options_.text("rejects");
  return owed_.empty() ? std::string() : *owed_.begin();
}

void Tool::finish() {
  std::vector<io::AtomicFile*> others;
  for (const std::unique_ptr<io::AtomicFile>& other : others_)
    others.push_back(other.get());
  for (io::AtomicFile* other : others)
    other->finish();
  std::vector<io::StreamTotals> inputs;
  if (run_) inputs = run_->input_totals();
  // LME1 says that nothing can fail any more, so a pipe gets it after the renames; a file is
  // renamed last, so that its existence implies the others'.
  const bool file_last = output_ && !output_->to_stdout();
  if (rejects_) rejects_->finish(inputs);
  if (file_last) output_->finish(inputs);
  if (rejects_) rejects_->commit();
  for (io::AtomicFile* other : others)
    other->commit();
  if (file_last) output_->commit();
  if (output_ && !file_last) output_->finish(inputs);
}

StatusScope Tool::set_status(std::function<std::string()> status) {
  return {console_, std::move(status), [this] { return progress_text(); }};
}

std::string Tool::progress_text() const {
  const f64 seconds = std::max(monotonic_s() - start_s_, 1e-3);
  const i64 records = counters_.records_in.load() + counters_.held_records.load();
  const i64 bytes = counters_.bytes_in.load() + counters_.held_bytes.load();
  const i64 in_work = counters_.in_work.load();
  const i64 errors = counters_.errors.load();
  std::string out =
      cat(format_count(static_cast<f64>(records)), " records, ", format_bytes(bytes), ", ",
          format_bytes(static_cast<i64>(static_cast<f64>(bytes) / seconds)), "/s");
  if (in_work > 0) append(out, ", ", in_work, " in work");
  if (errors > 0) append(out, ", ", errors, " bad");
  const io::InputStream* input = input_seen_.load();
  const i64 read = input != nullptr ? input->bytes_read() : 0;
  const i64 total = input != nullptr ? input->bytes_total() : -1;
  if (read > 0 && total > read) {
    const f64 share = static_cast<f64>(read) / static_cast<f64>(total);
    append(out, ", ", format_fixed(share * 100, 0), "%, ",
           format_duration(seconds * (1 - share) / share), " left");
  }
  return out;
}

std::string Tool::summary_text() const {
  if (!summary_.empty()) return summary_;
  if (counters_.records_in.load() == 0) return {};
  const f64 seconds = monotonic_s() - start_s_;
  return cat(counters_.records_in.load(), " records",
             output_ ? cat(" in, ", output_->totals().records, " out") : std::string(), ", ",
             format_bytes(counters_.bytes_in.load()), " in ", format_duration(seconds));
}

void Tool::flush_after_failure() noexcept {
  if (output_) output_->flush_after_failure();
}

// "lm-cat a >> a" would read for ever what it writes.
void Tool::refuse_stdout_that_is_input() const {
  struct stat out {};
  if (::fstat(STDOUT_FILENO, &out) != 0 || !S_ISREG(out.st_mode)) return;
  for (const std::string& file : files_.empty() ? std::vector<std::string>{"-"} : files_) {
    struct stat in {};
    const bool known =
        file == "-" ? ::fstat(STDIN_FILENO, &in) == 0 : ::stat(file.c_str(), &in) == 0;
    if (known && in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
      throw Error(ErrorKind::kUsage,
                  cat(io::input_display_name(file), ": is an input and standard output"),
                  "write to another name, then rename");
    }
  }
}

std::string Tool::report_head(const std::string& status, int exit,
                              const std::string& error_json) const {
  std::string out = cat("{\"schema\":\"lm-report/1\",\"tool\":", io::json_string(spec_.name),
                        ",\"version\":\"", kToolkitVersion, "\",\"build\":", build_json(),
                        ",\"status\":\"", status, "\",\"exit\":", exit, ",\"error\":", error_json);
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const char* restarts = std::getenv("SLURM_RESTART_COUNT");
  std::string argv;
  for (const std::string& arg : args_)
    append(argv, argv.empty() ? "" : ",", io::json_string(arg));
  append(out, ",\"argv\":[", argv, "],\"verb\":", io::json_string(verb_),
         ",\"params\":", options_.all_json(), ",\"seed\":", ctx_.seed,
         ",\"host\":", io::json_string(host), ",\"started\":\"", started_,
         "\",\"wall_s\":", format_fixed(monotonic_s() - start_s_, 3),
         ",\"cpu_s\":", format_fixed(cpu_s(), 3), ",\"max_rss_bytes\":", max_rss_bytes(),
         ",\"gpu\":null,\"threads\":", ctx_.threads,
         ",\"restart_count\":", restarts != nullptr ? parse_int(restarts).value_or(0) : 0,
         ",\"shard\":",
         io::json_string(spec_.streams_in(verb_) ? options_.text("shard") : std::string("0/1")));
  return out;
}

std::string Tool::interrupted_report_json(int signal) const {
  return cat(report_head("stopped", 128 + signal, "null"),
             ",\"inputs\":[],\"records_in\":", counters_.records_in.load(),
             ",\"errors\":{},\"blank_lines\":0,\"output\":null,\"stages\":", ctx_.stages->json(),
             ",\"metrics\":{}}\n");
}

std::string Tool::report_json(const std::string& status, int exit,
                              const std::string& error_json) const {
  const auto totals = [](const io::StreamTotals& t) {
    return cat("\"records\":", t.records, ",\"bytes\":", t.bytes, ",\"digest\":\"", hex64(t.digest),
               "\"");
  };
  std::string out = cat(report_head(status, exit, error_json), ",\"inputs\":[");
  if (input_) {
    bool first = true;
    for (const io::InputSummary& in : input_->inputs()) {
      append(out, first ? "" : ",", "{\"name\":", io::json_string(in.name), ",", totals(in.totals),
             ",\"bytes_compressed\":", in.bytes_compressed, "}");
      first = false;
    }
  }
  out += "],\"errors\":{";
  if (run_) {
    bool first = true;
    for (const auto& [code, count] : run_->errors()) {
      append(out, first ? "" : ",", io::json_string(code), ":", count);
      first = false;
    }
  }
  append(out, "},\"blank_lines\":", run_ ? run_->blank_lines() : 0, ",\"output\":");
  if (output_) {
    append(out, "{", totals(output_->totals()),
           ",\"bytes_compressed\":", output_->bytes_compressed(), "}");
  } else {
    out += "null";
  }
  append(out, ",\"stages\":", ctx_.stages->json(), ",\"metrics\":{");
  bool first = true;
  for (const auto& [name, value] : metrics_) {
    append(out, first ? "" : ",", io::json_string(name), ":", value);
    first = false;
  }
  return out + "}}\n";
}

}  // namespace lm::cli
