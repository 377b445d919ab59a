#include "held_out.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "common/model_options.h"
#include "core/hash.h"
#include "core/stages.h"
#include "core/str.h"
#include "decode/engine_options.h"
#include "io/input.h"
#include "io/json.h"
#include "io/run.h"
#include "model/kv_cache.h"
#include "model/layer.h"
#include "streams.h"

namespace lm::merge_tool {

namespace {

using cli::Flag;
using cli::FlagKind;

/// "web" of "eval/web.jsonl.zst".
std::string set_of_file(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.substr(0, name.find('.', 1));
}

void check_vocab(const model::ModelCfg& cfg, const text::Tokenizer& tokenizer,
                 const std::string& folder) {
  if (tokenizer.vocab_size() <= cfg.vocab) return;
  throw Error(ErrorKind::kData, cat(folder, ": the tokenizer has ", tokenizer.vocab_size(),
                                    " ids, the model ", cfg.vocab));
}

}  // namespace

std::vector<Flag> held_out_flags() {
  const std::string g = "Held-out records";
  std::vector<Flag> flags = {
      {.name = "eval",
       .kind = FlagKind::kList,
       .value_name = "FILE",
       .group = g,
       .help = "records to judge by; may be repeated, each file is a set of its own",
       .semantic = false,
       .main = true},
      {.name = "field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "text",
       .help = "the field with the text"},
      {.name = "eval-by",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .help = "a field whose values name the sets, instead of the files"},
  };
  flags = cli::joined({std::move(flags), tool_options::window_flags(g),
                       tool_options::model_flags({.group = "Judging", .special_error = false})});
  for (Flag& flag : flags)
    if (flag.name != "eval") flag.needs.push_back("eval");
  return flags;
}

HeldOut::HeldOut(cli::Tool& tool, const std::string& folder) : tool_(tool) {
  const cli::Options& options = tool.options();
  if (options.list("eval").empty())
    throw Error(ErrorKind::kUsage, "which records are models judged by? --eval FILE");
  compute_ = model::compute_for(options.text("device"), options.text("dtype"),
                                options.origin("device") == cli::Origin::kEnvironment);
  cfg_ = model::load_config(folder);
  model::require_decoder(cfg_, folder);
  text::LoadOptions load;
  load.add_specials = false;
  if (options.text("special") == "text") load.special = text::SpecialPolicy::kText;
  tokenizer_ = text::load_tokenizer(model::model_parts(folder).base, load);
  check_vocab(cfg_, *tokenizer_, folder);
  const std::optional<i32> begin =
      options.on("bos") ? decode::begin_token(cfg_, *tokenizer_) : std::nullopt;
  const decode::WindowRule windows =
      decode::WindowRule::of(options.maybe_integer("window").value_or(0),
                             options.maybe_integer("stride").value_or(0), cfg_.context);
  texts_ = std::make_unique<decode::HeldOutTexts>(*tokenizer_, begin, windows, *tool.ctx().memory);
  key_ = cat(tokenizer_->digest(), " window=", windows.window, " stride=", windows.stride,
             " begin=", begin ? cat(*begin) : "none", " special=", options.text("special"));
  if (compute_.activation != DType::kF32) append(key_, " dtype=", dtype_name(compute_.activation));
  std::set<std::string> names;
  for (const std::string& path : options.list("eval")) {
    if (path != "-") tool.add_input(path);
    if (!options.given("eval-by") && !names.insert(set_of_file(path)).second)
      throw Error(ErrorKind::kUsage, cat("--eval: two files are called ", set_of_file(path)),
                  "--eval-by PATH takes the sets from a field");
    without_policy_hint([&] { read(path); });
  }
  for (i64 i = 0; i < isize(sets()); ++i) {
    if (texts_->tokens(i) == 0)
      throw Error(ErrorKind::kData,
                  cat("held-out set ", quote(sets()[usize(i)]), " has no token that is scored"));
  }
  if (sets().empty()) throw Error(ErrorKind::kData, "--eval: no record to judge by");
}

void HeldOut::read(const std::string& path) {
  const cli::Options& options = tool_.options();
  const std::string& by = options.text("eval-by");
  std::vector<std::string> paths = {options.text("field")};
  if (!by.empty()) paths.push_back(by);
  io::check_apart(paths);
  io::JsonReader json(paths);
  io::InputStream input(input_options(options, path), tool_.ctx());
  io::RecordRun run(input, nullptr, nullptr, {}, tool_.ctx(), tool_.counters());
  const std::string file = set_of_file(path);
  u64 hash = 0;
  run.run({{StageMode::kSerial, [&](io::Batch& batch) {
              run.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
                const Result<std::string_view> text = record.json.string(0);
                if (!text) return text.fault();
                hash += xxh64(*text);
                std::string set = file;
                if (!by.empty()) {
                  const std::optional<std::string> value = record.json.text_of(1);
                  if (!value) return Fault{"missing", cat("field ", quote(by), " is missing"), -1};
                  set = *value;
                }
                return texts_->add(set, *text);
              });
            }}});
  append(key_, " ", hex64(hash));
}

model::EngineOptions HeldOut::size_of(const model::ModelRef& model) const {
  const cli::Options& options = tool_.options();
  const i64 batch = options.integer("batch");
  const i64 chunk = options.integer("chunk");
  const model::EngineOptions least = decode::engine_options(model.cfg, batch, chunk, 0, compute_);
  const bool host = compute_.backend == nullptr || compute_.backend->device == Device{};
  const i64 needs = host ? model::Engine::host_bytes(model, least) : 0;
  const i64 free = std::max<i64>(0, tool_.ctx().memory->available() - needs);
  return decode::engine_options(model.cfg, batch, chunk, decode::cache_share(free), compute_);
}

std::unique_ptr<model::Engine> HeldOut::make_engine(const model::ModelRef& model) const {
  const model::EngineOptions size = size_of(model);
  if (compute_.backend == nullptr) return std::make_unique<model::Engine>(model, size);
  return std::make_unique<model::Engine>(model, size, *compute_.backend);
}

std::vector<decode::SetScore> HeldOut::run(model::Engine& engine, const std::string& what) const {
  const StageTimer timer(tool_.ctx().stages->stage("score"));
  const cli::Options& options = tool_.options();
  std::vector<decode::SetScore> out =
      texts_->score(engine, {options.integer("batch"), options.integer("chunk")});
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!std::isfinite(out[i].nll_nats))
      throw Error(
          ErrorKind::kData,
          cat(what, ": the model's logits are not numbers on held-out set ", quote(sets()[i])));
  }
  return out;
}

std::vector<decode::SetScore> HeldOut::score(const model::Model& model, const std::string& what) {
  if (engine_model_ != &model) {
    engine_.reset();
    const i64 bytes = model::Engine::host_bytes(model, size_of(model));
    engine_memory_ =
        std::make_unique<MemoryCharge>(*tool_.ctx().memory, bytes, cat("running ", what));
    engine_ = make_engine(model);
    engine_model_ = &model;
  } else {
    engine_->weights_changed();
  }
  return run(*engine_, what);
}

std::vector<decode::SetScore> HeldOut::score_folder(const std::string& folder) {
  const model::MappedModel model = model::map_model(folder);
  const MemoryCharge charge(*tool_.ctx().memory, model::Engine::host_bytes(model, size_of(model)),
                            cat("running ", folder));
  return run(*make_engine(model), folder);
}

}  // namespace lm::merge_tool
