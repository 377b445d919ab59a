#pragma once
// generate's records through an answerer: read, asked, written in lm-decode's own form.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "answer/answer.h"
#include "cli/tool.h"
#include "constraining.h"
#include "io/held.h"

namespace lm::decode_tool {

class EngineMode : public io::HeldMapper {
 public:
  /// model: for the results' field. Throws what asked_language throws.
  EngineMode(cli::Tool& tool, answer::Answerer& answerer, decode::SampleParams defaults,
             std::string model);

  /// Of the file of a language, 0: none.
  u64 key() const { return asked_.key; }

  std::vector<std::string> paths() const override;
  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override;
  void add(io::HeldWork& work) override;
  i64 pending() const override { return answerer_.pending(); }
  bool step() override { return answerer_.step(); }
  bool poll(io::HeldWork& work) override;
  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override;
  void count_reused(io::JsonReader&, std::string_view) override { ++reused_; }

  i64 reused() const { return reused_; }
  void report(f64 wall_s) const;
  /// Throws Error{kData} where --strict-script asks for it.
  void check_matched() const;

 private:
  struct Work;
  std::optional<Fault> read_prompt(io::JsonReader& json, answer::Request& r) const;
  void write(const io::JsonReader& json, const Work& work, i64 sample, std::string completions,
             i64 field, std::string_view name, std::string& out) const;

  cli::Tool& tool_;
  const cli::Options& options_;
  answer::Answerer& answerer_;
  decode::SampleParams defaults_;
  Asked asked_;
  std::string model_;
  std::string field_;
  bool replies_;
  i64 records_ = 0;
  i64 reused_ = 0;  // taken from --resume FILE
  i64 prompt_tokens_ = 0;
  i64 tokens_ = 0;
  i64 unmatched_ = 0;
  std::string first_unmatched_;
  std::map<std::string, i64> reasons_;
};

}  // namespace lm::decode_tool
