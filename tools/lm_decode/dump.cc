// lm-decode --dump-prompt: what the model would see. Weights are not opened; a folder may hold no
// more than a tokenizer.

#include <limits>

#include "common/held_run.h"
#include "common/model_options.h"
#include "common/sampling_options.h"
#include "core/str.h"
#include "decode.h"
#include "generate_json.h"
#include "prompts.h"
#include "record_head.h"

namespace lm::decode_tool {

namespace {

class DumpMode : public io::HeldMapper {
 public:
  DumpMode(cli::Tool& tool, const tool_options::PromptFolder& folder,
           const decode::ModelDefaults& defaults)
      : options_(tool.options()),
        defaults_(tool_options::params_of(options_, tool.seed(), folder.vocab(), defaults)),
        prompts_(tool, {*folder.tokenizer, folder.begin, folder.vocab(), folder.positions(), true},
                 2) {}

  std::vector<std::string> paths() const override {
    std::vector<std::string> out = {"id", "params"};
    out.insert(out.end(), prompts_.paths().begin(), prompts_.paths().end());
    return out;
  }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    const Result<RecordHead> head = record_head(record, 0, 1, defaults_);
    if (!head) return head.fault();
    ReadPrompt prompt;
    if (std::optional<Fault> fault = prompts_.read(record.json, 0, head->params.max_tokens, prompt))
      return fault;
    const std::vector<i32> tokens = decode::tokens_of(prompt.rows);
    out.line = cat("{\"id\":", io::json_string(head->id),
                   ",\"prompt\":", io::json_string(prompts_.text_of(tokens)));
    if (options_.on("echo")) append(out.line, ",\"prompt_text\":", io::json_string(prompt.text));
    append(out.line, ",\"tokens\":", id_list(tokens), prompt.truncated ? ",\"truncated\":true" : "",
           "}");
    return std::nullopt;
  }

  // No record becomes work.
  void add(io::HeldWork&) override { LM_CHECK(false, "a prompt is shown at once"); }
  i64 pending() const override { return 0; }
  bool step() override { return false; }
  bool poll(io::HeldWork&) override { return false; }
  std::optional<Fault> finish(io::JsonReader&, io::HeldWork&, std::string&) override {
    return std::nullopt;
  }
  void count_reused(io::JsonReader&, std::string_view) override {}

 private:
  const cli::Options& options_;
  decode::SampleParams defaults_;
  Prompts prompts_;
};

}  // namespace

void run_dump(cli::Tool& tool) {
  const tool_options::PromptFolder folder = tool_options::open_prompts(tool);
  DumpMode mode(tool, folder, tool_options::model_defaults(tool));
  tool_options::run_held(tool, mode, 1, {});
}

}  // namespace lm::decode_tool
