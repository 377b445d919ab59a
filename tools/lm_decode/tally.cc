#include "tally.h"

#include "core/str.h"
#include "generate_json.h"

namespace lm::decode_tool {

void Tally::add(const std::string& id, const std::vector<decode::Completion>& completions) {
  ++records_;
  for (const decode::Completion& completion : completions) {
    tokens_ += isize(completion.tokens);
    ++reasons_[completion.finish_reason];
    if (!completion.fault || ++failed_[completion.fault->code] > 1) continue;
    tool_.console().message(LogLevel::kWarning,
                            cat("record ", quote(id), ": ", completion.fault->detail));
  }
}

void Tally::report(const decode::GenerateStats& stats, f64 wall_s, i64 pages) const {
  if (!failed_.empty()) {
    i64 count = 0;
    for (const auto& [code, samples] : failed_)
      count += samples;
    tool_.console().message(LogLevel::kWarning, cat(count, " samples ended with an error (",
                                                    counts_text(failed_), ")"));
  }
  const Throughput run{records_, reused_, tokens_, wall_s, pages};
  const std::string json = throughput_json(stats, run, reasons_);
  tool_.add_metric("throughput", json);
  tool_.console().message(LogLevel::kInfo, json);
}

}  // namespace lm::decode_tool
