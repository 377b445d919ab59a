// merge: a recipe or the command line to a model folder.

#include "merge.h"

#include <atomic>
#include <filesystem>

#include "cli/build.h"
#include "common/text_output.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"
#include "merge/folder.h"

namespace lm::merge_tool {

namespace {

namespace fs = std::filesystem;

constexpr i64 kMaxRecipeBytes = i64{16} << 20;

merge::Recipe recipe_of_words(const cli::Options& options, const std::vector<std::string>& words) {
  merge::Recipe recipe;
  recipe.method = merge::find_method(options.text("method"));
  recipe.base = options.text("base");
  recipe.where = cat("--method ", options.text("method"));
  recipe.tokenizer.source = options.text("tokenizer");
  recipe.tokenizer.pad_to_multiple_of = options.integer("pad-vocab");
  for (const std::string& setting : options.list("set"))
    merge::parse_setting(setting, *recipe.method, "--set", recipe.params);
  for (const std::string& word : words)
    recipe.models.push_back(merge::parse_operand(word, *recipe.method));
  merge::check_recipe(recipe, ErrorKind::kUsage);
  merge::check_settings_count(recipe);
  if (recipe.method->find("weight") == nullptr || recipe.params.count("weight") > 0) return recipe;
  for (merge::RecipeModel& model : recipe.models)  // one that is named weighs something
    model.params.try_emplace("weight", std::vector<merge::Setting>{{"", {"1"}, model.where}});
  return recipe;
}

merge::Recipe read_recipe(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (options.given("method")) return recipe_of_words(options, tool.files());
  const std::string& path = tool.files()[0];
  if (tool.files().size() > 1 || fs::is_directory(path)) {
    throw Error(ErrorKind::kUsage, "which method? give --method NAME, or one recipe",
                "lm-merge --method linear a:0.7 b:0.3 -o merged");
  }
  return merge::parse_recipe(io::read_file(path, kMaxRecipeBytes), path);
}

std::string kind_text(const merge::ParamDef& def) {
  switch (def.kind) {
    case merge::ParamKind::kSwitch:
      return "true|false";
    case merge::ParamKind::kChoice:
      return std::string(def.choices);
    case merge::ParamKind::kPath:
      return "path";
    case merge::ParamKind::kWhole:
      return "whole number";
    case merge::ParamKind::kNumber:
      break;
  }
  return "number";
}

std::string default_text(const merge::ParamDef& def) {
  if (!def.def) return "required";
  if (def.kind == merge::ParamKind::kSwitch) return *def.def != 0 ? "true" : "false";
  if (def.kind == merge::ParamKind::kChoice)
    return std::string(split(def.choices, '|')[static_cast<std::size_t>(*def.def)]);
  return format_float(*def.def);
}

// A line of four fields a parameter.
void print_parameters(cli::Tool& tool) {
  std::string text;
  for (const merge::Method& method : merge::methods()) {
    if (tool.options().given("method") && method.name != tool.options().text("method")) continue;
    append(text, method.name, ": ", method.summary, "\n");
    for (const merge::ParamDef& def : method.params) {
      append(text, "  ", def.name, "\t", kind_text(def), "\t", default_text(def), "\t",
             def.per_model ? "of a model: " : "", def.help, "\n");
    }
  }
  tool_options::TextOutput(tool).write(text);
}

void add_metrics(cli::Tool& tool, const merge::Plan& plan, const merge::EngineReport& report) {
  tool.add_metric("tensors", cat(plan.tensors.size()));
  tool.add_metric("bytes_in", cat(report.bytes_in));
  tool.add_metric("bytes_out", cat(report.bytes_out));
  std::string notes;
  for (const auto& [note, count] : report.notes)
    append(notes, notes.empty() ? "" : ",", io::json_string(note), ":", count);
  tool.add_metric("notes", cat("{", notes, "}"));
  for (const auto& [note, count] : report.notes)
    tool.console().message(LogLevel::kInfo, cat(count, " tensors: ", note));
}

}  // namespace

merge::PlanOptions plan_options(const cli::Options& options) {
  merge::PlanOptions out;
  out.missing = *merge::parse_missing(options.text("missing"));
  out.embed_common = options.text("embed") == "common";
  out.names = merge::NameFilter(options.text("include"), options.text("exclude"));
  if (options.given("out-dtype")) out.out_dtype = merge::parse_dtype(options.text("out-dtype"));
  return out;
}

merge::FolderOptions folder_options(const cli::Tool& tool) {
  merge::FolderOptions out;
  out.shard_bytes = tool.options().integer("shard-size");
  out.version = cli::kToolkitVersion;
  out.files = tool.output_options();
  return out;
}

merge::EngineOptions engine_options(const cli::Options& options) {
  return {options.integer("tile"), options.on("allow-nonfinite")};
}

void add_named_input(cli::Tool& tool, const std::string& path) {
  if (io::path_exists(path)) return tool.add_input_folder(path);
  for (const std::string_view part : split(path, '+'))
    if (io::path_exists(std::string(part))) tool.add_input_folder(std::string(part));
}

void add_input_model(cli::Tool& tool, const merge::InputModel& model) {
  tool.add_input_folder(model.folder);
  for (const SafeFile& file : model.files.files())  // of an index that is named itself, its shards
    tool.add_input(file.path());
  if (model.adapter) tool.add_input_folder(model.adapter->folder());
}

void add_inputs(cli::Tool& tool, const merge::Plan& plan, const merge::Recipe& recipe) {
  for (const merge::InputModels* const models : {&plan.inputs, &plan.aux})
    for (i64 i = 0; i < models->size(); ++i)
      add_input_model(tool, (*models)[i]);
  const std::string& tokenizer = recipe.tokenizer.source;
  if (!tokenizer.empty() && tokenizer != "base" && tokenizer != "union")
    tool.add_input_folder(tokenizer);
}

void run_merge(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (options.on("parameters")) {
    if (!tool.files().empty())
      throw Error(ErrorKind::kUsage, "--parameters lists what methods take: it has no operand");
    return print_parameters(tool);
  }
  tool.need_input();
  if (options.given("upcycle")) return run_upcycle(tool);
  if (tool.files().empty()) {
    throw Error(ErrorKind::kUsage, "which models? name a recipe, or --method and models",
                "lm-merge --method linear a:0.7 b:0.3 -o merged");
  }
  const std::string& output = options.text("output");
  const bool dry = options.on("dry-run");
  if (output == "-" && !dry) throw Error(ErrorKind::kUsage, "a merge needs -o FOLDER");
  const merge::Recipe recipe = read_recipe(tool);
  for (const merge::RecipeModel& model : recipe.models)
    add_named_input(tool, model.path);
  merge::Plan plan = merge::make_plan(recipe, plan_options(options), tool.ctx());
  add_inputs(tool, plan, recipe);
  if (dry) return tool_options::TextOutput(tool).write(merge::plan_json_lines(plan));
  tool.claim_folder(output);
  std::atomic<i64> done = 0;
  const i64 total = plan.bytes_out();
  const cli::StatusScope status = tool.set_status([&done, total] {
    return cat(format_bytes(done.load()), " of ", format_bytes(total), " written");
  });
  const merge::EngineReport report = [&] {
    try {
      return merge::merge_into_folder(plan, recipe, output, folder_options(tool),
                                      engine_options(options), tool.ctx(), &done);
    } catch (const Error& e) {  // settings that no tensor can be merged with, of a command line
      if (e.kind() != ErrorKind::kConfig || !options.given("method")) throw;
      throw Error(ErrorKind::kUsage, e.message(), e.hint());
    }
  }();
  add_metrics(tool, plan, report);
  tool.set_summary(cat(plan.tensors.size(), " tensors, ", format_bytes(report.bytes_in), " in, ",
                       format_bytes(report.bytes_out), " out"));
}

}  // namespace lm::merge_tool
