// noise: utterances perturbed, labels kept aligned.

#include "noise.h"

#include <algorithm>

#include "common/wordnet_option.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "transform.h"

namespace lm::transform_tool {

namespace {

/// Lines of a word and its misspellings, between tabs.
void read_table(const std::string& path, tf::Misspellings& table) {
  const std::string content = io::read_file(path);
  if (!is_valid_utf8(content)) throw Error(ErrorKind::kData, cat(path, ": is no UTF-8"));
  i64 number = 0;
  for (const std::string_view line : text::lines_n(content)) {
    ++number;
    if (text::is_blank(line)) continue;
    const std::vector<std::string_view> cells = split(line, '\t');
    bool good = cells.size() >= 2;
    for (const std::string_view cell : cells)
      good = good && !trim(cell).empty() && text::count_words_ws(cell) == 1;
    if (!good)
      throw Error(ErrorKind::kData,
                  cat(path, ":", number, ": expected a word and, behind tabs, its misspellings"));
    std::vector<std::string>& variants = table[text::to_lower(trim(cells[0]))];
    variants.clear();
    for (std::size_t i = 1; i < cells.size(); ++i)
      variants.emplace_back(trim(cells[i]));
  }
}

std::vector<tf::NoiseStep> read_steps(const cli::Options& options) {
  std::vector<tf::NoiseStep> steps;
  for (const std::string& one : options.list("noise")) {
    const std::optional<std::vector<tf::NoiseStep>> parsed = tf::parse_noise(one);
    if (!parsed)
      throw Error(ErrorKind::kUsage,
                  cat("--noise ", quote(one),
                      ": expected NAME or NAME:P with P from 0 to 1, "
                      "several joined by +"),
                  cat("names: ", tf::noise_names()));
    steps.insert(steps.end(), parsed->begin(), parsed->end());
  }
  if (steps.empty() && !options.given("paraphrase-field") && !options.given("mark-field"))
    throw Error(ErrorKind::kUsage, "which noise? give --noise NAME",
                cat("names: ", tf::noise_names()));
  return steps;
}

/// Names of slots that may be meant to be one: equal but for case or one letter.
std::vector<std::string> near_names(const std::set<std::string>& names) {
  std::vector<std::string> out;
  for (auto a = names.begin(); a != names.end(); ++a)
    for (auto b = std::next(a); b != names.end(); ++b)
      if (edit_distance(ascii_lower(*a), ascii_lower(*b)) <= 1) out.push_back(cat(*a, " and ", *b));
  return out;
}

void report(cli::Tool& tool, const NoiseTotals& totals) {
  const auto share = [](i64 over, i64 under) {
    return under == 0 ? std::string("null")
                      : format_fixed(static_cast<f64>(over) / static_cast<f64>(under), 6);
  };
  if (totals.rejected.load() > 0)
    tool.console().message(
        LogLevel::kWarning,
        cat(totals.rejected.load(), " rewordings without every slot's mark once were not taken"));
  tool.add_metric("changed_records", cat(totals.records.load()));
  tool.add_metric("words", cat(totals.words.load()));
  tool.add_metric("changed_words", share(totals.changed.load(), totals.words.load()));
  tool.add_metric("edited_characters", share(totals.edited.load(), totals.characters.load()));
  tool.add_metric("rejected_rewordings", cat(totals.rejected.load()));
  std::string edits = "{";
  for (const auto& [name, count] : totals.edits)
    append(edits, edits.size() > 1 ? "," : "", "\"", name, "\":", count);
  tool.add_metric("edits", edits + "}");
  const std::vector<std::string> near = near_names(totals.slots);
  if (!near.empty())
    tool.console().message(LogLevel::kWarning,
                           cat("labels that nearly have one name: ", join(near, ", ")));
}

}  // namespace

void run_noise(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  NoiseSetup setup;
  setup.steps = read_steps(options);
  setup.strength = options.real("strength");
  setup.log = options.on("log");
  setup.epoch = options.integer("epoch");
  setup.seed = tool.seed();
  setup.memory = tool.ctx().memory;
  setup.marks = options.given("mark-field");
  setup.rewordings = options.given("paraphrase-field");
  std::vector<std::string> paths = {"id", options.text("words-field"), options.text("labels-field"),
                                    options.text("field"), options.text("log-field")};
  if (setup.marks) paths.push_back(options.text("mark-field"));
  if (setup.rewordings) paths.push_back(options.text("paraphrase-field"));
  io::check_apart(paths);
  tool.input();
  if (options.given("spelling-table")) {
    const std::string& path = options.text("spelling-table");
    read_table(path, setup.knowledge.misspellings);
    tool.set_param("spelling-table",
                   io::json_string(cat("sha256:", sha256_hex(io::read_file(path)))));
  }
  std::optional<uq::WordNet> wordnet;
  const bool synonyms = std::any_of(setup.steps.begin(), setup.steps.end(), [](const auto& step) {
    return step.op == tf::NoiseOp::kSynonym;
  });
  if (synonyms) {
    wordnet.emplace(tool_options::open_wordnet(options));
    tool.set_param("wordnet", io::json_string(hex64(wordnet->digest())));
    setup.knowledge.synonym = [&](std::string_view word) { return wordnet->synonym(word); };
  }
  NoiseTotals totals;
  tool.records().map(paths, [&] { return make_noise(setup, totals); });
  report(tool, totals);
}

}  // namespace lm::transform_tool
