#include "merge/folder.h"

#include <filesystem>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"
#include "model/checkpoint.h"

namespace lm::merge {

namespace {

namespace fs = std::filesystem;

class FolderSink final : public Sink {
 public:
  FolderSink(const std::string& folder, i64 shard_bytes, SafeWriter::Metadata metadata)
      : writer_(SafeWriter::to_folder(folder, shard_bytes, std::move(metadata), {.sync = false})) {
  }  // AtomicDir syncs what is in it
  void declare(const std::string& name, DType dtype, const Shape& shape) override {
    writer_.declare(name, dtype, shape);
  }
  void begin() override { writer_.begin(); }
  std::span<const i64> order() const override { return writer_.order(); }
  void write(std::string_view name, std::string_view bytes) override {
    writer_.write_bytes(name, bytes);
  }
  void commit() override { writer_.commit(); }
  const std::vector<WrittenFile>& written() const { return writer_.written(); }

 private:
  SafeWriter writer_;
};

std::string provenance(const Plan& plan, const Recipe& recipe, const FolderOptions& options,
                       u64 seed) {
  std::string models;
  for (i64 i = 0; i < plan.inputs.size(); ++i)
    append(models, i > 0 ? "," : "", io::json_string(plan.inputs[i].label()));
  const Hash128 digest = xxh3_128(plan_json_lines(plan, ModelNames::kNumbers));
  return cat("{\"tool\":\"lm-merge\",\"version\":", io::json_string(options.version),
             ",\"method\":", io::json_string(recipe.method->name), ",\"models\":[", models,
             "],\"base\":",
             recipe.base.empty() ? std::string("null")
                                 : io::json_string(plan.inputs[plan.reference].label()),
             ",\"seed\":", seed, ",\"plan\":\"xxh3:", hex64(digest.hi), hex64(digest.lo), "\"}");
}

std::string merge_json(const Plan& plan, const Recipe& recipe, const FolderOptions& options,
                       const EngineReport& report, u64 seed) {
  Json json = Json::parse(provenance(plan, recipe, options, seed));
  json["recipe"] = recipe.text.empty() ? Json() : Json(recipe.text);
  Json models = Json::array();
  for (const auto& [number, read] : report.read) {
    models.push_back({{"name", plan.inputs[number].label()},
                      {"tensors_read", read.tensors},
                      {"digest", cat("xxh3:", hex64(read.hi), hex64(read.lo))}});
  }
  json["models"] = models;
  json["notes"] = report.notes;
  json["tensors"] = plan.tensors.size();
  return json.dump(2) + "\n";
}

bool same_file(const std::string& a, const std::string& b) {
  const bool in_a = io::path_exists(a);
  if (in_a != io::path_exists(b)) return false;
  return !in_a || io::Mapping(a).bytes() == io::Mapping(b).bytes();
}

std::string in_folder(const std::string& folder, const char* name) {
  return (fs::path(folder) / name).string();
}

// The folder whose tokenizer files the output gets. Says so where rows are merged by number and
// tokenizers differ.
std::string tokenizer_folder(const Plan& plan, const Recipe& recipe, Log& log) {
  if (plan.vocabulary) return plan.vocabulary->source;
  const std::string& reference = plan.inputs[plan.reference].folder;
  const std::string& source = recipe.tokenizer.source;
  if (!source.empty()) return source == "base" || source == "union" ? reference : source;
  for (i64 i = 0; i < plan.inputs.size(); ++i) {
    const std::string& other = plan.inputs[i].folder;
    bool same = true;
    for (const char* const name : {"tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt"})
      same = same && same_file(in_folder(reference, name), in_folder(other, name));
    if (same) continue;
    log.message(LogLevel::kWarning, cat(reference, " and ", other,
                                        " have different tokenizers: rows of the embeddings are "
                                        "merged by number"));
  }
  return reference;
}

void copy_files(const Plan& plan, const Recipe& recipe, const std::string& from,
                const std::string& to) {
  if (!plan.config_json.empty()) io::write_file(in_folder(to, "config.json"), plan.config_json);
  const auto copy = [&](const std::string& folder, const char* name) {
    const std::string path = in_folder(folder, name);
    if (io::path_exists(path)) io::write_file(in_folder(to, name), io::Mapping(path).bytes());
  };
  copy(plan.vocabulary ? from : plan.inputs[plan.reference].folder, "generation_config.json");
  // Other forms of a vocabulary do not have what was appended to it.
  const bool appended = plan.vocabulary && !plan.vocabulary->tokenizer_json.empty();
  for (const std::string_view name : model::tokenizer_file_names()) {
    const bool other_form = name == "tokenizer.model" || name == "vocab.json" ||
                            name == "merges.txt" || name == "added_tokens.json";
    if (!appended || !other_form) copy(from, name.data());
  }
  if (appended) io::write_file(in_folder(to, "tokenizer.json"), plan.vocabulary->tokenizer_json);
  if (!recipe.chat_template.empty() && recipe.chat_template != "auto")
    io::write_file(in_folder(to, "chat_template.jinja"), recipe.chat_template);
}

}  // namespace

void check_output(const std::string& folder) {
  model::check_replaceable(folder);
}

EngineReport merge_into_folder(Plan& plan, const Recipe& recipe, const std::string& folder,
                               const FolderOptions& options, const EngineOptions& engine,
                               const Context& ctx, std::atomic<i64>* done) {
  const std::string tokenizer = tokenizer_folder(plan, recipe, *ctx.log);
  check_output(folder);
  for (const std::string& warning : plan.warnings)
    ctx.log->message(LogLevel::kWarning, warning);
  io::AtomicDir out(folder, options.files, true);
  copy_files(plan, recipe, tokenizer, out.temp_path());
  FolderSink sink(out.temp_path(), options.shard_bytes,
                  {{"lm_merge", provenance(plan, recipe, options, ctx.seed)}});
  EngineReport report = run(plan.tensors, sink, engine, ctx, done);
  io::write_file(out.file("merge.json"), merge_json(plan, recipe, options, report, ctx.seed));
  for (const auto& [name, bytes] : options.more_files)
    io::write_file(out.file(name), bytes);
  model::write_manifest(out.temp_path(), sink.written());
  out.commit();
  return report;
}

void MemorySink::declare(const std::string& name, DType dtype, const Shape& shape) {
  order_.push_back(isize(order_));
  LM_CHECK(tensors_.emplace(name, Stored{dtype, shape, {}}).second, "tensors have different names");
}

void MemorySink::begin() {
  for (auto& [name, stored] : tensors_)
    stored.bytes.reserve(usize(stored.shape.count() * item_bytes(stored.dtype)));
}

void MemorySink::write(std::string_view name, std::string_view bytes) {
  const auto at = tensors_.find(name);
  LM_CHECK(at != tensors_.end(), "a tensor is declared before it is written");
  at->second.bytes.append(bytes);
}

}  // namespace lm::merge
