// perturb: prompts get rewordings.

#include <algorithm>

#include "common/wordnet_option.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/held.h"
#include "io/json.h"
#include "sample_json.h"
#include "text/pretokenize.h"
#include "uq.h"
#include "uq/gaap.h"
#include "uq/record_json.h"

namespace lm::uq_tool {

namespace {

enum Field : i64 { kId, kPrompt, kPerturb };
constexpr const char* kKind = "gaap";

class PerturbMapper final : public io::RecordMapper {
 public:
  PerturbMapper(const uq::WordNet& wordnet, const uq::GaapOptions& options,
                std::function<f64(std::string_view)> rarity, std::span<const text::Regex> protect,
                u64 seed)
      : gaap_(wordnet, options, std::move(rarity)), protect_(protect), seed_(seed) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    const Result<std::string> id = io::record_id(json, kId, record.ordinal);
    if (!id) return id.fault();
    const Result<std::string_view> prompt = json.string(kPrompt);
    if (!prompt) return prompt.fault();
    std::vector<std::string> entries;
    if (json.has(kPerturb)) {
      if (std::optional<Fault> fault = there_.read(json.raw(kPerturb))) return fault;
      entries = there_.without(kKind);
    }
    kept_.clear();
    for (const text::Regex& pattern : protect_)
      pattern.find_all(*prompt, kept_);
    const Result<std::vector<uq::Reworded>> made = gaap_.reword(*prompt, seed_, *id, kept_);
    if (!made) return made.fault();
    for (const uq::Reworded& one : *made) {
      uq::Perturbation entry;
      entry.prompt = one.text;
      entry.kind = kKind;
      entry.similarity = one.similarity;
      entry.generation = one.generation;
      uq::append_perturbation(entries.emplace_back(), entry);
    }
    io::RecordEdit edit(json);
    edit.set(kPerturb, "[" + join(entries, ",") + "]");
    edit.write(out);
    return std::nullopt;
  }

 private:
  uq::Gaap gaap_;
  std::span<const text::Regex> protect_;
  u64 seed_;
  Rewordings there_;
  std::vector<text::Span> kept_;
};

/// Counts the prompts of a file of records; bad ones are left out.
uq::DocumentFrequencies count_documents(cli::Tool& tool, const std::string& file) {
  const std::vector<std::string>& files = tool.files();
  if (file == "-" && (files.empty() || std::find(files.begin(), files.end(), "-") != files.end()))
    throw Error(ErrorKind::kUsage, "--documents - and the records are both standard input",
                "name a file for one of them");
  io::InputOptions options;
  options.files = {file};
  options.max_record_bytes = tool.options().integer("max-record");
  io::InputStream in(options, tool.ctx());
  io::RunCounters counters;
  io::RecordRun run(in, nullptr, nullptr, {.mode = io::OnError::kSkip}, tool.ctx(), counters);
  uq::DocumentFrequencies out;
  io::JsonReader json({"prompt"});
  i64 held = 0;
  run.run({{StageMode::kSerial, [&](io::Batch& batch) {
              run.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
                const Result<std::string_view> prompt = record.json.string(0);
                if (!prompt) return prompt.fault();
                const i64 grown = out.add(*prompt);
                tool.ctx().memory->charge_growing(held, grown, "the counts of --documents");
                held += grown;
                return std::nullopt;
              });
            }}});
  if (out.texts() == 0)
    throw Error(ErrorKind::kData, cat(file, ": no record has a prompt"),
                "--documents counts the words of prompts");
  return out;
}

std::vector<text::Regex> protect_patterns(const cli::Options& options) {
  std::vector<text::Regex> out;
  for (const std::string& pattern : options.list("protect")) {
    try {
      out.emplace_back(pattern);
    } catch (const Error& e) {
      throw Error(ErrorKind::kUsage, cat("--protect: ", e.message()));
    }
  }
  return out;
}

uq::GaapOptions gaap_options(const cli::Options& options) {
  uq::GaapOptions out;
  out.count = options.integer("rewordings");
  out.keywords = options.real("keywords");
  out.similarity = options.real("delta");
  out.generations = options.integer("generations");
  out.gap = options.integer("gap");
  out.population = options.integer("population");
  out.parents = options.integer("parents");
  out.sim = *uq::find_sim(options.text("sim"));
  return out;
}

}  // namespace

void run_perturb(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const uq::GaapOptions how = gaap_options(options);
  const std::vector<text::Regex> protect = protect_patterns(options);
  const uq::WordNet wordnet = tool_options::open_wordnet(options);
  tool.set_param("wordnet", io::json_string(hex64(wordnet.digest())));
  uq::DocumentFrequencies documents;
  // Without documents the texts that WordNet's makers tagged say how rare a word is.
  std::function<f64(std::string_view)> rarity = [&](std::string_view word) {
    return -static_cast<f64>(wordnet.uses(word));
  };
  if (options.given("documents")) {
    documents = count_documents(tool, options.text("documents"));
    tool.set_param("documents", io::json_string(hex64(documents.digest())));
    rarity = [&](std::string_view word) { return documents.rarity(word); };
  }
  tool.records().map({"id", "prompt", "perturb"}, [&] {
    return std::make_unique<PerturbMapper>(wordnet, how, rarity, protect, tool.seed());
  });
}

}  // namespace lm::uq_tool
