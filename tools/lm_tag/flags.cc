// The options of lm-tag, and what they choose.

#include <algorithm>

#include "common/text_output.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "tag/catalogue.h"
#include "tag/define.h"
#include "tag_tool.h"

namespace lm::tag_tool {

using cli::Flag;
using cli::FlagKind;

namespace {

std::string kinds_in_words() {
  const std::string kinds = tag::definition_kinds();
  std::string out = "Kinds: ";
  for (const std::string_view line : split(trim(kinds), '\n'))
    append(out, out.back() == ' ' ? "" : "; ", line);
  return out + ".";
}

}  // namespace

std::vector<Flag> flags() {
  const std::string group = "Taggers";
  const std::string attributes = "Attributes";
  return {
      {.name = "taggers",
       .letter = 'T',
       .kind = FlagKind::kList,
       .value_name = "NAME,...",
       .group = group,
       .help = "which taggers judge the documents; may be repeated",
       .main = true},
      {.name = "define",
       .kind = FlagKind::kList,
       .value_name = "NAME[@UNIT]=KIND:ARGUMENT",
       .group = group,
       .help = "judge the documents by a tagger of your own too; may be repeated",
       .details = "UNIT is document (the default), line or paragraph. " + kinds_in_words(),
       .main = true},
      {.name = "model",
       .kind = FlagKind::kList,
       .value_name = "[NAME=]FILE",
       .group = group,
       .help = "the model or list that a tagger needs; may be repeated",
       .details = "--list shows the names. A file without a name is every tagger's that needs one.",
       .semantic = false,
       .main = true},
      {.name = "list",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "print every tagger with its types and what it needs, and exit",
       .semantic = false,
       .main = true},
      {.name = "explain",
       .kind = FlagKind::kOptional,
       .value_name = "N",
       .group = group,
       .help = "print what was found in the first N records (10), and no records",
       .bare = "10",
       .semantic = false,
       .main = true,
       .excludes = {"sidecar", "list"}},
      {.name = "compat",
       .kind = FlagKind::kChoice,
       .value_name = "SYSTEM",
       .group = group,
       .def = "none",
       .help = "dolma: the numbers of the Dolma toolkit, its mistakes included",
       .details = "Attributes without spans are left out then, as there.",
       .choices = {"none", "dolma"}},
      {.name = "naughty-words",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "words and phrases of has_naughty_word, one a line, in lower case",
       .details = "Without it no record gets that attribute.",
       .semantic = false},
      {.name = "max-period",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .def = "256",
       .help = "characters of the longest group that counts as repeated",
       .details = "Of repetitions_v1 and paragraph_repetitions_v1; the work grows with it.",
       .min = 1,
       .max = 65536},
      {.name = "external-timeout",
       .kind = FlagKind::kCount,
       .value_name = "SECONDS",
       .group = group,
       .def = "60",
       .help = "how long a command of --define may take for a document",
       .min = 1,
       .max = 86400,
       .semantic = false},
      cli::text_field_flag(group, false),
      {.name = "experiment",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = attributes,
       .help = "first part of the attributes' keys; default: the tagger's name",
       .details = "Keys are EXPERIMENT__TAGGER__TYPE.",
       .main = true},
      {.name = "sidecar",
       .kind = FlagKind::kPath,
       .value_name = "DIR",
       .group = attributes,
       .help = "write attributes to DIR/EXPERIMENT/P/X for each input .../documents/P/X",
       .details =
           "One row per document, in the same order: id, source, attributes. Inputs without a "
           "folder documents on their path keep their file name alone. No records are "
           "written then.",
       .semantic = false,
       .main = true,
       .writes = true,
       .excludes = {"output", "list"}},
      {.name = "attr-merge",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = attributes,
       .def = "replace",
       .help = "an attribute that a record has already: replace it, append to it, or a bad record",
       .choices = {"replace", "append", "error"},
       .excludes = {"sidecar", "explain"}},
      {.name = "declare",
       .kind = FlagKind::kSwitch,
       .group = attributes,
       .def = "true",
       .help = "write attributes without spans too, as []",
       .details = "So a filter tells what was not found from what nobody looked for."},
  };
}

namespace {

std::vector<std::string> names_of(const cli::Options& options) {
  std::vector<std::string> names;
  for (const std::string& value : options.list("taggers")) {
    for (const std::string_view part : split(value, ',')) {
      if (trim(part).empty()) throw Error(ErrorKind::kUsage, "--taggers has an empty name");
      names.emplace_back(trim(part));
    }
  }
  if (names.empty() && options.list("define").empty())
    throw Error(ErrorKind::kUsage, "no tagger is named",
                "-T NAME,... names them, --list prints those there are");
  return names;
}

/// NAME=FILE, or FILE: what stands before the first = is a name unless it has a slash.
void give_file(tag::TagFiles& files, const std::string& value) {
  const std::size_t equals = value.find('=');
  const bool named = equals != std::string::npos && value.find('/') > equals;
  const std::string path = named ? value.substr(equals + 1) : value;
  if (path.empty()) throw Error(ErrorKind::kUsage, cat("--model ", quote(value), " has no file"));
  files.give(named ? value.substr(0, equals) : "", path);
}

}  // namespace

Chosen::Chosen(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  tag::TagSettings settings;
  settings.dolma = options.text("compat") == "dolma";
  settings.seed = tool.seed();
  settings.max_period = options.integer("max-period");
  settings.external_timeout_s = options.integer("external-timeout");
  declare_ = options.on("declare") && !settings.dolma;
  const std::string& words = options.text("naughty-words");
  if (!words.empty()) {
    const std::string bytes = io::read_file(words);
    naughty_ = std::make_unique<tag::WordList>(bytes, words);
    settings.naughty = naughty_.get();
    tool.set_param("naughty_words_digest", cat("\"", hex64(xxh3_64(bytes)), "\""));
  }
  for (const std::string& value : options.list("model"))
    give_file(files_, value);
  std::vector<tag::TaggerDef> taggers = tag::complete_taggers(names_of(options), files_);
  for (const std::string& text : options.list("define"))
    taggers.push_back(tag::defined_tagger(text, files_));
  if (const std::vector<std::string> unused = files_.unused(); !unused.empty())
    throw Error(ErrorKind::kUsage, cat("--model: no tagger of this run reads ", quote(unused[0])),
                "--list shows what each tagger needs");
  std::string digests;
  std::string entries;
  for (const std::string& path : files_.paths()) {
    append(digests, digests.empty() ? "\"" : ",\"", hex64(xxh3_64(io::Mapping(path).bytes())),
           "\"");
    append(entries, entries.empty() ? "" : ",", files_.entries(path));
  }
  if (!digests.empty()) {
    tool.set_param("file_digests", cat("[", digests, "]"));
    tool.add_metric("file_digests", cat("[", digests, "]"));
    tool.add_metric("file_entries", cat("[", entries, "]"));
  }
  for (const std::string& warning : files_.warnings())
    tool.console().message(LogLevel::kWarning, warning);
  plan_ = std::make_unique<tag::TagPlan>(std::move(taggers), options.text("experiment"), settings);
  long_texts_ = std::make_unique<LongTexts>(*tool.ctx().memory, tag::kLongTextTimes, "the taggers");
  const auto reads_words = [](const tag::TaggerDef& def) {
    return std::any_of(def.types.begin(), def.types.end(), [](const tag::TagType& type) {
      return type.needs == tag::Needs::kNaughtyWords;
    });
  };
  if (naughty_ && std::none_of(plan_->taggers().begin(), plan_->taggers().end(), reads_words))
    throw Error(ErrorKind::kUsage, "--naughty-words: no tagger of this run reads it",
                "c4_v1 and c4_v2 do");
  // In the stream's header, for who reads it: what was looked for, found or not.
  std::string keys = "[";
  for (const tag::TagKey& key : plan_->keys())
    append(keys, keys.size() > 1 ? ",\"" : "\"", key.key, "\"");
  keys += ']';
  // A header has room for 64 KiB; models of thousands of labels are told by the digest of their
  // file.
  constexpr i64 kMaxKeys = 16 << 10;
  if (isize(keys) <= kMaxKeys) tool.set_param("attributes", keys);
  for (const std::string& missing : plan_->missing())
    tool.console().message(LogLevel::kWarning,
                           cat(missing, " is not judged: no --naughty-words is given"));
}

void refuse_stream_options(const cli::Tool& tool, const char* printing) {
  tool_options::refuse_options(tool, {"compress", "seekable", "flush"},
                               cat("prints text with --", printing),
                               "the output is as it is, neither framed nor compressed");
}

void run(cli::Tool& tool) {
  if (tool.options().on("list")) {
    refuse_stream_options(tool, "list");
    tool_options::TextOutput(tool).write(tag::catalogue_table());
    return;
  }
  const Chosen chosen(tool);
  if (tool.options().given("explain")) return run_explain(tool, chosen);
  if (tool.options().given("sidecar")) return run_sidecar(tool, chosen);
  run_inline(tool, chosen);
}

}  // namespace lm::tag_tool
