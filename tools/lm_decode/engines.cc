#include "engines.h"

#include <limits>

#include "answer/engine.h"
#include "answer/ngram.h"
#include "answer/record.h"
#include "answer/script.h"
#include "common/engine_options.h"
#include "common/held_run.h"
#include "common/model_options.h"
#include "common/sampling_options.h"
#include "constraining.h"
#include "core/clock.h"
#include "core/str.h"
#include "engine_mode.h"

namespace lm::decode_tool {

using answer::EngineName;
using cli::Flag;
using cli::FlagKind;

std::vector<Flag> engine_flags() {
  const std::string group = "Engine";
  return {
      tool_options::engine_flag(group),
      tool_options::record_flag(group, "With --resume what FILE holds stays."),
      {.name = "script-coverage",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "write which rules of a script were never used, as JSON",
       .semantic = false,
       .writes = true,
       .needs = {"engine"}},
      {.name = "strict-script",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "a prompt that no rule or recording is for ends the run",
       .semantic = false,
       .needs = {"engine"}},
  };
}

bool by_engine(const cli::Options& options) {
  const std::string& engine = options.text("engine");
  return !options.text("record").empty() || !options.text("script-coverage").empty() ||
         options.on("strict-script") ||
         (!engine.empty() &&
          answer::parse_engine(engine, "--engine").kind != EngineName::Kind::kLocal);
}

namespace {

using Kind = EngineName::Kind;

/// What the drafts, caches and rows of a model inside are needed for, or its tokens.
constexpr const char* kInside[] = {"tokens",        "logprobs",
                                   "top-logprobs",  "prompt-logprobs",
                                   "dump-prompt",   "chat",
                                   "chat-var",      "date",
                                   "echo",          "continue-final-message",
                                   "jrt",           "jrt-times",
                                   "jrt-sep",       "jrt-template",
                                   "truncate",      "sets-order",
                                   "sets-parallel", "sets-apart",
                                   "grammar-mode",  "asap-unbounded",
                                   "small-model",   "draft",
                                   "draft-model",   "prefix-mode",
                                   "prefix-len"};
/// --engine script:, or the option that asks for an engine.
std::string words_of(const cli::Options& options, Kind kind) {
  return kind == Kind::kLocal && !options.text("record").empty()
             ? "--record"
             : tool_options::engine_words(options);
}

void check_options(const cli::Options& options, Kind kind) {
  const auto refuse = [&](const char* name) {
    tool_options::refuse_option(options, name, words_of(options, kind));
  };
  for (const char* const name : kInside)
    refuse(name);
  tool_options::refuse_folder_options(options, kind);
  if (kind != Kind::kScript) refuse("script-coverage");
  if (kind != Kind::kScript && kind != Kind::kReplay) refuse("strict-script");
}

/// Who answers, and what runs say of it.
struct Opened {
  std::unique_ptr<answer::Answerer> answerer;
  std::string model;  // for the results' field
  i64 vocab = std::numeric_limits<i32>::max();
  decode::ModelDefaults defaults;
};

Opened open(cli::Tool& tool, const EngineName& name) {
  Opened out;
  answer::EngineSettings settings;
  settings.model.languages = language_options(tool);
  if (name.kind == Kind::kLocal) {
    out.defaults = tool_options::model_defaults(tool);
    std::unique_ptr<decode::Session> session = tool_options::open_model(tool);
    out.model = session->digest();
    out.vocab = session->cfg().vocab;
    out.answerer = std::make_unique<answer::ModelAnswerer>(std::move(session), settings.model);
    return out;
  }
  tool_options::OtherEngine other =
      tool_options::open_other_engine(tool, name, std::move(settings));
  out.answerer = std::move(other.answerer);
  out.model = std::move(other.identity);
  if (const auto* ngram = dynamic_cast<const answer::NgramAnswerer*>(out.answerer.get()))
    out.vocab = ngram->words();
  return out;
}

}  // namespace

void run_engine(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const EngineName name = tool_options::engine_name(options);
  check_options(options, name.kind);
  Opened opened = open(tool, name);
  tool_options::check_resume(options, *opened.answerer);
  std::optional<answer::RecordingAnswerer> recording;
  tool_options::open_recording(tool, *opened.answerer, options.given("resume"), recording);
  io::AtomicFile* const coverage = options.text("script-coverage").empty()
                                       ? nullptr
                                       : &tool.other_output(options.text("script-coverage"));
  answer::Answerer& answerer =
      recording ? static_cast<answer::Answerer&>(*recording) : *opened.answerer;
  EngineMode mode(tool, answerer,
                  tool_options::params_of(options, tool.seed(), opened.vocab, opened.defaults),
                  opened.model);
  std::vector<u64> keys = {answerer.key()};
  if (mode.key() != 0) keys.push_back(mode.key());
  if (opened.defaults.key() != 0) keys.push_back(opened.defaults.key());
  const f64 start = monotonic_s();
  try {
    tool_options::run_held(tool, mode, 4 * options.integer("batch"), keys);
  } catch (const Error& e) {
    // A stopped run goes on from its --resume file: what it recorded goes with that.
    if (e.kind() == ErrorKind::kTemporary && recording) recording->close();
    throw;
  }
  mode.check_matched();
  if (recording && recording->kept() < mode.reused())
    throw Error(ErrorKind::kData,
                cat(options.text("record"), ": has ", recording->kept(), " of the ", mode.reused(),
                    " answers that --resume takes over"),
                "without --resume they are asked again");
  if (const auto* script = dynamic_cast<const answer::ScriptAnswerer*>(opened.answerer.get())) {
    tool.add_metric("script", script->coverage_json());
    if (coverage != nullptr) coverage->write(script->coverage_json() + "\n");
  }
  mode.report(monotonic_s() - start);
}

}  // namespace lm::decode_tool
