#include "prompt_flags.h"

#include "core/str.h"
#include "model/layer.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;

namespace {

constexpr const char* kPrompts = "Prompts";

}  // namespace

Flag prefix_mask_flag() {
  return {.name = "prefix-mask",
          .kind = FlagKind::kSwitch,
          .group = kPrompts,
          .help = "tokens of a prompt see all of it, as models of lm-train --prefix-mask expect"};
}

Flag prefix_mode_flag(bool repeats) {
  Flag out = {.name = "prefix-mode",
              .kind = FlagKind::kChoice,
              .value_name = "HOW",
              .group = kPrompts,
              .def = "pad",
              .help = "of models that read a prefix twice: whether the prompt is one: pad, none",
              .details =
                  "pad: the prompt is the prefix, of whatever length: what would pad a "
                  "shorter one counts for nothing. none: a prompt is read as any text.",
              .choices = {"pad", "none"}};
  if (!repeats) return out;
  out.help = "of models that read a prefix twice: what it is: the prompt (pad), or none of it";
  out.details +=
      " repeat: the prompt stands there twice. iterate: it stands there again and again, "
      "the first time from somewhere within, until there are --prefix-len tokens.";
  out.choices = {"pad", "repeat", "iterate", "none"};
  return out;
}

bool reads_prompts(const cli::Options& o, const decode::Session& session) {
  const bool reads = model::reads_prefixes(session.cfg());
  const bool whole = o.text("prefix-mode") != "none";
  if (!reads && o.asked("prefix-mode"))
    throw Error(ErrorKind::kUsage, cat("--prefix-mode: ", session.options().folder,
                                       " has no layers that read a prefix twice (pla)"));
  if (o.text("prefix-mode") == "iterate" && !o.given("prefix-len"))
    throw Error(ErrorKind::kUsage, "--prefix-mode iterate needs --prefix-len");
  if (reads && whole && o.find("prompt-logprobs") != nullptr && o.on("prompt-logprobs"))
    throw Error(ErrorKind::kUsage,
                cat("--prompt-logprobs: ", session.options().folder,
                    " reads a prompt twice, and a token knows those behind it"),
                "--prefix-mode none reads it as any text");
  return whole;
}

std::vector<Flag> chat_flags() {
  return {
      {.name = "chat",
       .kind = FlagKind::kString,
       .value_name = "TEMPLATE",
       .group = kPrompts,
       .def = "auto",
       .help = "the template of messages: auto is the model's own; or a name, or a file",
       .details =
           "Names: of the model's templates, if it has several; of ours: chatml, llama2, "
           "llama3, mistral, gemma, phi3, vicuna, zephyr, alpaca. A file is a Jinja template.",
       .main = true},
      {.name = "chat-var",
       .kind = FlagKind::kList,
       .value_name = "NAME=VALUE",
       .group = kPrompts,
       .help = "a variable of the template; may be repeated",
       .details = "VALUE is JSON if it can be read so (enable_thinking=false), else a text."},
      {.name = "date",
       .kind = FlagKind::kString,
       .value_name = "DAY",
       .group = kPrompts,
       .help = "the day, YYYY-MM-DD, of templates that print one",
       .details = "Without it there is no strftime_now: a template that asks whether it is there "
                  "takes the day it has, another makes bad records."},
  };
}

std::vector<Flag> prompt_flags() {
  Flag prefix_mask = prefix_mask_flag();
  prefix_mask.excludes = {"prompt-logprobs", "small-model"};
  return {
      {.name = "continue-final-message",
       .kind = FlagKind::kSwitch,
       .group = kPrompts,
       .help = "go on with the last message instead of answering it"},
      {.name = "reply",
       .kind = FlagKind::kChoice,
       .value_name = "WHERE",
       .group = kPrompts,
       .def = "text",
       .help = "messages: add the text to the record's messages too, as the assistant's",
       .choices = {"text", "messages"}},
      {.name = "echo",
       .kind = FlagKind::kSwitch,
       .group = kPrompts,
       .help = "add the prompt as prompt_text"},
      {.name = "jrt",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = kPrompts,
       .def = "off",
       .help = "of context and question: repeat the document, put the question first, or both",
       .choices = {"off", "repeat", "question", "both"}},
      {.name = "jrt-times",
       .kind = FlagKind::kCount,
       .value_name = "K",
       .group = kPrompts,
       .def = "2",
       .help = "how often a repeated document is read",
       .min = 1,
       .max = 16,
       .needs = {"jrt=repeat,both|jrt-template"}},
      {.name = "jrt-sep",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = kPrompts,
       .help = "between readings; default a newline; may be empty",
       .may_be_empty = true},
      {.name = "jrt-template",
       .kind = FlagKind::kString,
       .value_name = "TEMPLATE",
       .group = kPrompts,
       .help = "the order of C, the document, and Q, the question (QCCQ), or a Jinja file",
       .details = "A file sees context, question, intro, kind, cloze, separator and times.",
       .excludes = {"jrt"}},
      {.name = "truncate",
       .kind = FlagKind::kSwitch,
       .group = kPrompts,
       .def = "true",
       .help = "cut a document at its end where prompt and --max-tokens exceed the context",
       .details = "The record then has truncated: true. --no-truncate: such a record is bad."},
      prefix_mask,
      prefix_mode_flag(true),
      {.name = "prefix-len",
       .kind = FlagKind::kCount,
       .value_name = "M",
       .group = kPrompts,
       .help = "tokens of a prefix of --prefix-mode iterate, as the model was trained with",
       .min = 1,
       .needs = {"prefix-mode=iterate"}},
      {.name = "pause-tokens",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = kPrompts,
       .def = "0",
       .help = "empty tokens behind the prompt, before the first that is drawn",
       .details =
           "For a model that was trained with them: rows in which it can work on its answer.",
       .min = 0,
       .max = 65536},
      {.name = "pause-token",
       .kind = FlagKind::kString,
       .value_name = "TOKEN",
       .group = kPrompts,
       .def = "<pause>",
       .help = "the token of --pause-tokens, as the tokenizer's file spells it",
       .needs = {"pause-tokens"}},
      {.name = "sets-order",
       .kind = FlagKind::kChoice,
       .value_name = "ORDER",
       .group = kPrompts,
       .def = "canonical",
       .help = "how texts of a set lie: by length and tokens, so that every order gives the same "
               "bytes, or as given",
       .choices = {"canonical", "given"}},
      {.name = "sets-parallel",
       .kind = FlagKind::kSwitch,
       .group = kPrompts,
       .def = "true",
       .help = "texts of a set begin at the same position"},
      {.name = "sets-apart",
       .kind = FlagKind::kSwitch,
       .group = kPrompts,
       .def = "true",
       .help = "texts of a set do not see each other"},
  };
}

std::vector<Flag> model_defaults_flags() {
  return {
      {.name = "model-defaults",
       .kind = FlagKind::kSwitch,
       .group = "Sampling",
       .def = "true",
       .help =
           "what generation_config.json says of sampling holds where nothing else is asked for"},
  };
}

}  // namespace lm::decode_tool
