#include "constraining.h"

#include <filesystem>

#include "core/hash.h"
#include "core/str.h"
#include "decode/grammar_constraint.h"
#include "io/file.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;

namespace {

const std::vector<std::string> kSources = {"grammar", "json-schema", "json", "regex", "choice"};

}  // namespace

std::vector<Flag> constraint_flags() {
  const std::string group = "Grammar";
  const auto others = [](const std::string& own) {
    std::vector<std::string> out;
    for (const std::string& one : kSources)
      if (one != own) out.push_back(one);
    return out;
  };
  return {
      {.name = "grammar",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "texts are of this grammar: EBNF as llama.cpp writes it, or Lark's (.lark)",
       .details = "Records may have a grammar (EBNF), regex, schema or choices of their own, or a "
                  "constraint ({\"type\": regex, json_schema, choices or grammar, \"value\": "
                  "...}), which stand before these options.",
       .excludes = others("grammar")},
      {.name = "json-schema",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "texts are JSON of this schema (2020-12)",
       .details = "A keyword that cannot be honoured exactly is refused with its place.",
       .excludes = others("json-schema")},
      {.name = "json",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "texts are JSON values",
       .excludes = others("json")},
      {.name = "regex",
       .kind = FlagKind::kString,
       .value_name = "PATTERN",
       .group = group,
       .help = "texts match as a whole",
       .excludes = others("regex")},
      {.name = "choice",
       .kind = FlagKind::kList,
       .value_name = "TEXT",
       .group = group,
       .help = "texts are one of these, the empty one too; repeated",
       .may_be_empty = true,
       .excludes = others("choice")},
      {.name = "json-space",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = group,
       .def = "canonical",
       .help = "blanks in JSON: one behind each colon and comma, none, up to 8 anywhere, any",
       .choices = {"canonical", "compact", "flexible", "free"}},
      {.name = "schema-lenient",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "leave out keywords that cannot be honoured, with a warning"},
      {.name = "grammar-mode",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = group,
       .def = "gcd",
       .help = "mask and draw, or draw texts in their true proportions (asap)",
       .details =
           "asap: samples of a record learn from each other how much of what the model would "
           "write behind each beginning is allowed; temperature 1, without penalties and "
           "truncations.",
       .choices = {"gcd", "asap"}},
      {.name = "asap-unbounded",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "learn nothing from texts that reach --max-tokens",
       .needs = {"grammar-mode=asap"}},
      {.name = "asap-warmup",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .def = "0",
       .help = "samples of a record that are drawn first, to learn, and are not written",
       .min = 0,
       .max = 1e6,
       .needs = {"grammar-mode=asap"}},
      {.name = "asap-trie",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "know what earlier runs have learned, and keep it with what this one learns",
       .details = "Records of equal prompt, language and parameters share it from run to run, not "
                  "within one. A file that is not there is written at the end. One model has one "
                  "file.",
       .needs = {"grammar-mode=asap"},
       .excludes = {"resume"}},
      {.name = "grammar-memory",
       .kind = FlagKind::kSize,
       .value_name = "SIZE",
       .group = group,
       .def = "256M",
       .help = "for the states of a grammar; a text that needs more ends with an error",
       .min = 1 << 16,
       .semantic = false},
  };
}

Asked asked_language(cli::Tool& tool) {
  using Kind = decode::Language::Kind;
  const cli::Options& options = tool.options();
  Asked out;
  const auto file = [&](const char* option, Kind kind) {
    if (!options.given(option)) return;
    out.from = options.text(option);
    tool.add_input(out.from);
    out.own.emplace(decode::Language{kind, io::read_file(out.from, i64{64} << 20)});
    out.key = xxh3_64(out.own->text);
  };
  file("json-schema", Kind::kSchema);
  file("grammar",
       std::string_view(options.text("grammar")).ends_with(".lark") ? Kind::kLark : Kind::kGbnf);
  if (options.on("json")) out.own.emplace(decode::Language{Kind::kJson, ""});
  if (options.given("regex")) {
    out.from = "--regex";
    out.own.emplace(decode::Language{Kind::kRegex, options.text("regex")});
  }
  if (!options.list("choice").empty()) {
    out.from = "--choice";
    out.own.emplace(decode::Language{Kind::kChoices, io::Json(options.list("choice")).dump()});
  }
  return out;
}

decode::LanguagesOptions language_options(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  decode::LanguagesOptions out;
  const std::string& space = options.text("json-space");
  out.schema.space = space == "compact"    ? grammar::JsonSpace::kCompact
                     : space == "flexible" ? grammar::JsonSpace::kFlexible
                     : space == "free"     ? grammar::JsonSpace::kFree
                                           : grammar::JsonSpace::kCanonical;
  out.schema.lenient = options.on("schema-lenient");
  out.state_bytes = options.integer("grammar-memory");
  out.memory = tool.ctx().memory;
  return out;
}

Constraining::Constraining(cli::Tool& tool, const decode::Session& session)
    : asap_(tool.options().text("grammar-mode") == "asap"),
      unbounded_(tool.options().on("asap-unbounded")),
      warmup_(tool.options().integer("asap-warmup")),
      session_(session),
      asked_(asked_language(tool)),
      schema_(language_options(tool).schema),
      languages_(session.tokenizer(), session.cfg().vocab, session.generate_options().end_ids,
                 language_options(tool)) {
  if (tool.options().given("asap-trie")) {
    trie_file_ = tool.options().text("asap-trie");
    tool.add_input(trie_file_);
    if (std::filesystem::exists(trie_file_)) masses_.load(trie_file_, session_.key());
  }
  if (!asked_.own) return;
  const Result<decode::Languages::Matcher> made = languages_.get(*asked_.own);
  if (!made) throw Error(ErrorKind::kData, cat(asked_.from, ": ", made.fault().detail));
  for (const std::string& warning : (*made)->grammar().warnings())
    tool.console().message(LogLevel::kWarning, cat(asked_.from, ": ", warning));
}

Result<std::optional<decode::Language>> Constraining::asked(
    io::JsonReader& json, const decode::LanguageFields& fields,
    const decode::SampleParams& params) const {
  Result<std::optional<decode::Language>> own = decode::language_of(json, fields);
  if (own && !*own) own = asked_.own;
  if (own && *own && asap_ && !decode::is_own_distribution(params))
    return Fault{"params",
                 "asap draws from the model's own distribution: temperature 1, no penalties, no "
                 "truncations (--no-model-defaults leaves the folder's out)",
                 -1};
  return own;
}

std::optional<Fault> Constraining::set(const decode::Language& language,
                                       decode::GenerateRequest& request) {
  Result<decode::Languages::Matcher> matcher = languages_.get(language);
  if (!matcher) return matcher.fault();
  if (!asap_) {
    request.constraint = std::make_shared<decode::GrammarConstraint>(std::move(*matcher), true,
                                                                     &session_.tokenizer());
    return std::nullopt;
  }
  std::shared_ptr<decode::PermittedMass> mass = std::make_shared<decode::PermittedMass>();
  if (!trie_file_.empty()) {
    const u64 key = mass_key(language, request);
    mass = masses_.get(key);
    learned_.emplace_back(key, mass);
  }
  request.constraint = std::make_shared<decode::AsapConstraint>(
      std::make_unique<decode::GrammarConstraint>(std::move(*matcher), false), std::move(mass),
      unbounded_);
  request.serial = true;
  return std::nullopt;
}

/// Of all that a record's true proportions depend on, beside the model.
u64 Constraining::mass_key(const decode::Language& language,
                           const decode::GenerateRequest& request) const {
  decode::SampleParams params = request.params;
  params.n = 1;
  params.seed = 0;
  std::string of = cat(static_cast<int>(language.kind), "\n", language.text, "\n",
                       static_cast<int>(schema_.space), schema_.lenient, unbounded_, "\n",
                       decode::params_json(params, session_.activation()), "\n", request.next);
  for (const decode::PromptRow& row : request.prompt)
    append(of, " ", row.token, ",", row.position, ",", row.hole_begin, ",", row.hole_end);
  return xxh3_64(of);
}

i64 Constraining::warm_up(decode::GenerateRequest& request) const {
  if (warmup_ == 0) return 0;
  decode::add_warmup(request, warmup_);
  return warmup_;
}

void Constraining::save() {
  if (trie_file_.empty()) return;
  for (const auto& [key, mass] : learned_)
    masses_.add(key, *mass);
  masses_.save(trie_file_, session_.key());
}

}  // namespace lm::decode_tool
