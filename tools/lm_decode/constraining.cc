#include "constraining.h"

#include <algorithm>
#include <filesystem>

#include "core/hash.h"
#include "core/str.h"
#include "decode/grammar_constraint.h"
#include "io/file.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;

namespace {

constexpr std::size_t kKept = 16;  // languages

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
       .details = "Records may have a grammar (EBNF), regex, schema or choices of their own, which "
                  "stand before these options.",
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
       .help = "texts are one of these; repeated",
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
           "write behind each beginning is allowed; temperature 1.",
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

Constraining::Constraining(cli::Tool& tool, const Models& models) : session_(*models.main) {
  const cli::Options& options = tool.options();
  const std::string& space = options.text("json-space");
  schema_.space = space == "compact"    ? grammar::JsonSpace::kCompact
                  : space == "flexible" ? grammar::JsonSpace::kFlexible
                  : space == "free"     ? grammar::JsonSpace::kFree
                                        : grammar::JsonSpace::kCanonical;
  schema_.lenient = options.on("schema-lenient");
  size_.state_bytes = options.integer("grammar-memory");
  asap_ = options.text("grammar-mode") == "asap";
  unbounded_ = options.on("asap-unbounded");
  warmup_ = options.integer("asap-warmup");
  if (options.given("asap-trie")) {
    trie_file_ = options.text("asap-trie");
    tool.add_input(trie_file_);
    if (std::filesystem::exists(trie_file_)) masses_.load(trie_file_, session_.key());
  }
  std::string from;  // for messages
  const auto file = [&](const char* option, Kind kind) {
    if (!options.given(option)) return;
    from = options.text(option);
    tool.add_input(from);
    own_.emplace(kind, io::read_file(from, i64{64} << 20));
    key_ = xxh3_64(own_->second);
  };
  file("json-schema", Kind::kSchema);
  file("grammar",
       std::string_view(options.text("grammar")).ends_with(".lark") ? Kind::kLark : Kind::kGbnf);
  if (options.on("json")) own_.emplace(Kind::kJson, "");
  if (options.given("regex")) {
    from = "--regex";
    own_.emplace(Kind::kRegex, options.text("regex"));
  }
  if (!options.list("choice").empty()) {
    from = "--choice";
    own_.emplace(Kind::kChoices, io::Json(options.list("choice")).dump());
  }
  if (!own_) return;
  const Result<Matcher> made = matcher(own_->first, own_->second);
  if (!made) throw Error(ErrorKind::kData, cat(from, ": ", made.fault().detail));
  for (const std::string& warning : (*made)->grammar().warnings())
    tool.console().message(LogLevel::kWarning, cat(from, ": ", warning));
}

Result<grammar::GrammarPtr> Constraining::compile(Kind kind, const std::string& text) const {
  switch (kind) {
    case Kind::kGbnf:
      return grammar::compile_gbnf(text);
    case Kind::kLark:
      return grammar::compile_lark(text);
    case Kind::kRegex:
      return grammar::compile_regex(text);
    case Kind::kJson:
      return grammar::compile_json(schema_);
    case Kind::kSchema:
    case Kind::kChoices:
      break;
  }
  const io::Json json = io::Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Fault{"grammar", "the schema is no JSON", -1};
  if (kind == Kind::kSchema) return grammar::compile_json_schema(json, schema_);
  const bool texts =
      json.is_array() && !json.empty() &&
      std::all_of(json.begin(), json.end(), [](const io::Json& one) { return one.is_string(); });
  if (!texts) return Fault{"grammar", "choices are a list of texts", -1};
  return grammar::compile_choices(json.get<std::vector<std::string>>());
}

Result<Constraining::Matcher> Constraining::matcher(Kind kind, const std::string& text) {
  const std::string key = cat(static_cast<int>(kind), text);
  const auto known = made_.find(key);
  const auto place = std::find(order_.begin(), order_.end(), key);
  if (known != made_.end()) {
    std::rotate(place, place + 1, order_.end());
    return known->second;
  }
  Result<grammar::GrammarPtr> compiled = compile(kind, text);
  if (!compiled) return compiled.fault();
  if (!trie_)
    trie_ = std::make_shared<const grammar::TokenTrie>(session_.tokenizer(), session_.cfg().vocab);
  Result<std::unique_ptr<grammar::Matcher>> made = grammar::Matcher::make(
      std::move(*compiled), trie_, session_.generate_options().end_ids, size_);
  if (!made) return made.fault();
  if (order_.size() == kKept) {
    made_.erase(order_.front());
    order_.erase(order_.begin());
  }
  order_.push_back(key);
  return made_[key] = std::move(*made);
}

Result<std::optional<std::pair<Constraining::Kind, std::string>>> Constraining::asked(
    io::JsonReader& json, const Places& places) const {
  std::optional<std::pair<Kind, std::string>> out;
  const auto given = [&](i64 field, Kind kind) -> std::optional<Fault> {
    if (!json.has(field)) return std::nullopt;
    if (out)
      return Fault{"grammar", "the record has several of grammar, regex, schema and choices",
                   json.field(field).begin};
    if (kind == Kind::kChoices) {
      out.emplace(kind, json.raw(field));
      return std::nullopt;
    }
    if (kind == Kind::kSchema && json.field(field).type != io::JsonType::kString) {
      out.emplace(kind, json.raw(field));
      return std::nullopt;
    }
    const Result<std::string_view> text = json.string(field);
    if (!text) return text.fault();
    out.emplace(kind, *text);
    return std::nullopt;
  };
  for (const auto& [field, kind] :
       {std::pair{places.grammar, Kind::kGbnf}, std::pair{places.regex, Kind::kRegex},
        std::pair{places.schema, Kind::kSchema}, std::pair{places.choices, Kind::kChoices}})
    if (std::optional<Fault> fault = given(field, kind)) return *fault;
  return out ? out : own_;
}

std::optional<Fault> Constraining::set(io::JsonReader& json, const Places& places,
                                       decode::GenerateRequest& request) {
  const Result<std::optional<std::pair<Kind, std::string>>> source = asked(json, places);
  if (!source) return source.fault();
  if (!*source) return std::nullopt;
  Result<Matcher> language = matcher((*source)->first, (*source)->second);
  if (!language) return language.fault();
  if (!asap_) {
    request.constraint = std::make_shared<decode::GrammarConstraint>(std::move(*language), true,
                                                                     &session_.tokenizer());
    return std::nullopt;
  }
  if (request.params.temperature != 1)
    return Fault{"params", "asap draws from the model's own distribution, at temperature 1", -1};
  std::shared_ptr<decode::PermittedMass> mass = std::make_shared<decode::PermittedMass>();
  if (!trie_file_.empty()) {
    const u64 key = mass_key(**source, request);
    mass = masses_.get(key);
    learned_.emplace_back(key, mass);
  }
  request.constraint = std::make_shared<decode::AsapConstraint>(
      std::make_unique<decode::GrammarConstraint>(std::move(*language), false), std::move(mass),
      unbounded_);
  request.serial = true;
  return std::nullopt;
}

/// Of all that a record's true proportions depend on, beside the model.
u64 Constraining::mass_key(const std::pair<Kind, std::string>& source,
                           const decode::GenerateRequest& request) const {
  decode::SampleParams params = request.params;
  params.n = 1;
  params.seed = 0;
  std::string of = cat(static_cast<int>(source.first), "\n", source.second, "\n",
                       static_cast<int>(schema_.space), schema_.lenient, unbounded_, "\n",
                       decode::params_json(params, session_.activation()), "\n", request.next);
  for (const decode::PromptRow& row : request.prompt)
    append(of, " ", row.token, ",", row.position, ",", row.hole_begin, ",", row.hole_end);
  return xxh3_64(of);
}

i64 Constraining::warm_up(decode::GenerateRequest& request) const {
  if (!request.constraint || warmup_ == 0) return 0;
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
