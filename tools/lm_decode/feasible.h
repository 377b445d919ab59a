#pragma once
// --feasible: solutions of the problems that records state, feasible whatever the model likes.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "accord/instance.h"
#include "cli/tool.h"
#include "decode/feasible.h"
#include "decode/session.h"
#include "generate_work.h"
#include "io/json.h"

namespace lm::decode_tool {

std::vector<cli::Flag> feasible_flags();

class Feasible {
 public:
  /// Throws Error{kUsage} for options that do not go together, Error{kData} where the model cannot
  /// write solutions.
  Feasible(const cli::Tool& tool, const decode::Session& session);

  bool on() const { return on_; }
  /// How long a text may be where neither options nor the record say so.
  decode::SampleParams with_length(decode::SampleParams defaults) const;
  /// Sets what a record's request must obey, from its field. Fault "missing", "type", "range",
  /// "problem", "infeasible", "tokenizer" or "params".
  std::optional<Fault> set(io::JsonReader& json, i64 field, GenerateWork& work) const;

 private:
  enum class Draw : u8 { kExact, kGcd, kAsap };
  std::optional<Fault> check(const decode::SampleParams& params) const;

  bool on_ = false;
  bool length_given_ = false;
  std::optional<accord::Problem> problem_;  // nothing: as records say
  accord::Format format_ = accord::Format::kAccord;
  Draw draw_ = Draw::kExact;
  i64 positions_ = 0;
  MemoryBudget* memory_ = nullptr;
  std::vector<i32> ends_;
  std::shared_ptr<const decode::Spelling> spelling_;  // shared with the texts of a run
  std::optional<MemoryCharge> charge_;
};

}  // namespace lm::decode_tool
