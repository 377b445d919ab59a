#include "train/metrics.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::train {
namespace {

/// The lines up to `step`, whole ones only.
std::string kept_lines(const std::string& text, i64 step) {
  std::string out;
  io::JsonReader json({"step"});
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t lf = text.find('\n', at);
    if (lf == std::string::npos) break;
    std::string line = text.substr(at, lf - at);
    const std::size_t size = line.size();
    line.resize(size + usize(io::kJsonPadding));
    at = lf + 1;
    if (json.parse(std::string_view(line).substr(0, size))) continue;
    const Result<i64> number = json.integer(0);
    if (number && *number <= step) append(out, std::string_view(line).substr(0, size), '\n');
  }
  return out;
}

void number(std::string& out, std::string_view key, f64 value) {
  append(out, ",\"", key, "\":");
  io::append_json_number(out, value);
}

std::string line_head(const TrainCounters& counters) {
  return cat("{\"step\":", counters.step, ",\"tokens\":", counters.tokens);
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path, i64 resumed_step, const io::OutputOptions& options)
    : path_(path) {
  if (path == "-") {
    path_ = "<stdout>";
    return;
  }
  const int existing = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (existing >= 0) {
    const io::Fd owner(existing);
    if (io::is_regular(existing)) {
      const std::string text = io::read_file(path);
      const std::string kept = kept_lines(text, resumed_step);
      if (kept != text) io::write_file(path, kept, options);
    }
  }
  file_ = io::Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (!file_.valid()) throw os_error(ErrorKind::kCannotCreate, path, "cannot open", errno);
  fd_ = file_.get();
}

void MetricsLog::append(const std::string& line) {
  const std::string whole = line + "\n";
  try {
    io::write_full(fd_, whole.data(), isize(whole), path_);
  } catch (const io::PipeClosed& e) {
    // The checkpoints are the product, and they are not complete.
    throw Error(ErrorKind::kIo, e.message());
  }
}

std::string step_line(const TrainCounters& counters, const StepResult& result,
                      const StepSpeed& speed, std::optional<f64> bpb) {
  std::string out = line_head(counters);
  number(out, "loss", result.loss);
  if (bpb) number(out, "bpb", *bpb);
  for (const auto& [name, value] : result.metrics)
    number(out, name, value);
  for (const auto& [name, values] : result.layers) {
    append(out, ",\"", name, "\":[");
    for (i64 i = 0; i < isize(values); ++i) {
      if (i > 0) out += ',';
      io::append_json_number(out, values[usize(i)]);
    }
    out += ']';
  }
  number(out, "grad_norm", result.grad_norm);
  number(out, "lr", result.lr);
  append(out, ",\"ms\":", format_fixed(speed.seconds * 1e3, 3));
  append(out, ",\"tokens_per_s\":", format_fixed(speed.tokens_per_s, 1));
  append(out, ",\"mfu\":", format_fixed(speed.of_peak, 4), ",\"skipped\":", counters.skipped, "}");
  return out;
}

std::string eval_line(const TrainCounters& counters, const EvalResult& result) {
  std::string out = line_head(counters);
  number(out, "eval_loss", result.loss);
  number(out, "eval_perplexity", result.perplexity());
  if (result.bits_per_byte) number(out, "eval_bpb", *result.bits_per_byte);
  append(out, result.bound ? ",\"eval_bound\":\"nelbo\"" : "", ",\"eval_targets\":", result.targets,
         "}");
  return out;
}

}  // namespace lm::train
