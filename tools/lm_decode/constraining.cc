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
       .help = "for compiling a grammar, and for its states; a text that needs more ends with an "
               "error",
       .details = "Never more than a quarter of --memory.",
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
    : tool_(tool),
      asap_(tool.options().text("grammar-mode") == "asap"),
      unbounded_(tool.options().on("asap-unbounded")),
      warmup_(tool.options().integer("asap-warmup")),
      earlier_(tool.ctx().memory),
      learned_(tool.ctx().memory),
      most_learned_(tool.ctx().memory->limit() / 4),
      session_(session),
      asked_(asked_language(tool)),
      schema_(language_options(tool).schema),
      languages_(session.tokenizer(), session.cfg().vocab, session.generate_options().end_ids,
                 language_options(tool)) {
  if (tool.options().given("asap-trie")) {
    trie_file_ = tool.options().text("asap-trie");
    tool.add_input(trie_file_);
    tool.owe(trie_file_);
    if (std::filesystem::exists(trie_file_)) earlier_.load(trie_file_, session_.key());
  }
  if (!asked_.own) return;
  const Result<decode::Languages::Matcher> made = languages_.get(*asked_.own);
  if (!made) refuse(tool, made.fault());
  for (const std::string& warning : (*made)->grammar().warnings())
    tool.console().message(LogLevel::kWarning, cat(asked_.from, ": ", warning));
}

/// The options' language.
void Constraining::refuse(const cli::Tool& tool, const Fault& fault) const {
  const std::string what = cat(asked_.from, ": ", fault.detail);
  if (fault.code != "budget") throw Error(ErrorKind::kData, what);
  const bool by_memory = languages_.state_bytes() < tool.options().integer("grammar-memory");
  throw Error(ErrorKind::kOs, what,
              by_memory ? "a grammar has a quarter of --memory at most: a larger one gives it more"
                        : "a larger --grammar-memory gives it more");
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

std::optional<Fault> Constraining::set(GenerateWork& work) {
  const decode::Language& language = *work.language;
  decode::GenerateRequest& request = work.request;
  Result<decode::Languages::Matcher> matcher = languages_.get(language);
  if (!matcher) return matcher.fault();
  if (!asap_) {
    request.constraint = std::make_shared<decode::GrammarConstraint>(std::move(*matcher), true,
                                                                     &session_.tokenizer());
    return std::nullopt;
  }
  if (!trie_file_.empty()) work.mass_key = mass_key(language, request);
  work.mass = earlier_.get(work.mass_key);
  request.constraint = std::make_shared<decode::AsapConstraint>(
      std::make_unique<decode::GrammarConstraint>(std::move(*matcher), false), work.mass,
      unbounded_);
  request.serial = true;
  return std::nullopt;
}

/// Which records' learning is kept depends on their order alone: the bound is a share of --memory,
/// not of what is left of it.
void Constraining::keep(GenerateWork& work) {
  const std::shared_ptr<decode::PermittedMass> mass = std::exchange(work.mass, nullptr);
  if (!mass || trie_file_.empty()) return;
  if (earlier_.bytes() + learned_.bytes() + mass->bytes() <= most_learned_)
    return learned_.add(work.mass_key, mass);
  if (++unlearned_ == 1)
    tool_.console().message(
        LogLevel::kWarning,
        cat(trie_file_, ": a quarter of --memory, ", format_bytes(most_learned_),
            ", is full: what record ", quote(work.id), " and later ones learn may not be kept"));
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
  earlier_.take(std::move(learned_));
  earlier_.save(trie_file_, session_.key());
  tool_.settle(trie_file_);
}

void Constraining::report() const {
  if (trie_file_.empty()) return;
  tool_.add_metric("asap_trie", cat("{\"bytes\":", earlier_.bytes() + learned_.bytes(),
                                    ",\"unkept_records\":", unlearned_, "}"));
}

}  // namespace lm::decode_tool
