#include "extract.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/hash.h"
#include "core/stages.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "merge.h"
#include "merge/convert.h"
#include "merge/inputs.h"
#include "merge/layers.h"
#include "merge/low_rank_fit.h"
#include "merge/name_filter.h"
#include "model/mapping.h"
#include "model/params.h"

namespace lm::merge_tool {

namespace {

using merge::Json;

constexpr i64 kChunk = i64{1} << 20;  // elements

class Extraction {
 public:
  explicit Extraction(cli::Tool& tool);
  void run();

 private:
  struct Factors {
    std::string module;  // of the base, without ".weight"
    merge::LowRankFit fit;
    i64 rows = 0;
    i64 cols = 0;
  };
  void check_pair() const;
  void find_transposed();
  bool chosen(const std::string& name) const { return names_.chooses(name); }
  /// The change as the module multiplies by it; empty if there is none.
  std::vector<f32> change(const SafeEntry& from, const SafeEntry& to) const;
  void take(const SafeEntry& from, const SafeEntry& to);
  void take_matrix(const SafeEntry& from, const std::vector<f32>& delta);
  std::string config_json() const;
  void write();

  cli::Tool& tool_;
  const cli::Options& options_;
  merge::InputModels models_;
  i64 base_ = 0;
  i64 tuned_ = 0;
  merge::NameFilter names_;
  std::set<std::string> transposed_;  // tensors stored [in, out]
  std::vector<Factors> factors_;
  std::vector<const SafeEntry*> whole_;  // of the fine-tune
  i64 charged_ = 0;
  i64 left_out_ = 0;  // changed tensors that the adapter does not have
  i64 changed_ = 0;   // matrices that were to be fitted
  f64 kept_ = 0;
};

Extraction::Extraction(cli::Tool& tool)
    : tool_(tool),
      options_(tool.options()),
      names_(options_.text("include"), options_.text("exclude")) {
  base_ = models_.open(options_.text("base"));
  tuned_ = models_.open(tool.files()[0]);
}

void Extraction::check_pair() const {
  const merge::InputModel& base = models_[base_];
  const merge::InputModel& tuned = models_[tuned_];
  const std::string a = base.config_text("model_type");
  const std::string b = tuned.config_text("model_type");
  if (!a.empty() && !b.empty() && a != b)
    throw Error(ErrorKind::kData,
                cat(tuned.path, ": a model of type ", b, ", but ", base.path, " is of type ", a));
  for (const std::string& name : tuned.names())
    if (base.stored(name) == nullptr)
      throw Error(ErrorKind::kData, cat(base.path, ": tensor ", quote(name, 200), " is missing, ",
                                        tuned.path, " has it"));
  for (const std::string& name : base.names()) {
    const SafeEntry* const from = base.stored(name);
    const SafeEntry* const to = tuned.stored(name);
    if (to == nullptr)
      throw Error(ErrorKind::kData, cat(tuned.path, ": tensor ", quote(name, 200), " is missing, ",
                                        base.path, " has it"));
    if (!(to->shape == from->shape))
      throw Error(ErrorKind::kData,
                  cat(tuned.path, ": tensor ", quote(name, 200), " is ", to_string(to->shape),
                      ", but ", base.path, " has ", to_string(from->shape)));
  }
}

// Of a known family: which matrices are stored [in, out].
void Extraction::find_transposed() {
  const merge::InputModel& base = models_[base_];
  if (!base.config.is_object()) return;
  try {
    const model::ModelCfg cfg = model::parse_config(base.config.dump(), base.folder);
    const model::ModelParams params = model::make_params(cfg);
    for (const model::TensorMap& map : model::tensor_maps(cfg, params.set))
      if (map.transpose) transposed_.insert(map.name);
  } catch (const Error& e) {  // of another family: as torch's linear layers are stored
    if (e.kind() != ErrorKind::kData) throw;
  }
}

std::vector<f32> Extraction::change(const SafeEntry& from, const SafeEntry& to) const {
  const i64 count = from.shape.count();
  std::vector<f32> out(usize(count));
  const merge::SourcePtr a = models_[base_].source(from);
  const merge::SourcePtr b = models_[tuned_].source(to);
  std::vector<f64> x;
  std::vector<f64> y;
  bool any = false;
  for (i64 at = 0; at < count; at += kChunk) {
    const i64 now = std::min(kChunk, count - at);
    x.resize(usize(now));
    y.resize(usize(now));
    a->load(at, now, x.data());
    b->load(at, now, y.data());
    if (!merge::all_finite(x.data(), now) || !merge::all_finite(y.data(), now))
      throw Error(ErrorKind::kData, cat((merge::all_finite(x.data(), now) ? b : a)->describe(),
                                        " has an element that is not finite"));
    for (i64 i = 0; i < now; ++i) {
      out[usize(at + i)] = static_cast<f32>(y[usize(i)] - x[usize(i)]);
      any = any || out[usize(at + i)] != 0;
    }
    a->release(at, now);
    b->release(at, now);
  }
  if (!any) out.clear();
  return out;
}

void Extraction::take_matrix(const SafeEntry& from, const std::vector<f32>& delta) {
  Factors out;
  constexpr std::string_view kWeight = ".weight";
  out.module = from.name.substr(0, from.name.size() - kWeight.size());
  out.rows = from.shape[0];
  out.cols = from.shape[1];
  std::vector<f32> turned;
  const bool transposed =
      std::any_of(transposed_.begin(), transposed_.end(), [&](const std::string& name) {
        return from.name == name || from.name.ends_with("." + name);
      });
  if (transposed) {
    turned.resize(delta.size());
    for (i64 i = 0; i < out.rows; ++i)
      for (i64 j = 0; j < out.cols; ++j)
        turned[usize(j * out.rows + i)] = delta[usize(i * out.cols + j)];
    std::swap(out.rows, out.cols);
  }
  const i64 bytes = (out.rows + out.cols) * options_.integer("rank") * i64{sizeof(f32)};
  tool_.ctx().memory->charge(bytes, "the factors of an adapter");
  charged_ += bytes;
  out.fit =
      merge::fit_low_rank(transposed ? turned : delta, out.rows, out.cols, options_.integer("rank"),
                          options_.real("sv-epsilon"), tool_.seed() ^ fnv1a64(from.name));
  tool_.console().message(LogLevel::kInfo,
                          cat(out.module, ": rank ", out.fit.rank, ", ",
                              format_fixed(100 * out.fit.kept, 2), " % of the change"));
  kept_ += out.fit.kept;
  ++changed_;
  if (out.fit.rank > 0) factors_.push_back(std::move(out));
}

void Extraction::take(const SafeEntry& from, const SafeEntry& to) {
  if (!is_floating(from.dtype)) return;
  const StageTimer timer(tool_.ctx().stages->stage("extract"));
  const bool linear = from.shape.rank == 2 && from.name.ends_with(".weight") &&
                      !merge::has_token_rows(from.name) && !merge::before_layers(from.name);
  const MemoryCharge charge(*tool_.ctx().memory, from.shape.count() * i64{2 * sizeof(f32)},
                            cat("tensor ", quote(from.name, 200)));
  const std::vector<f32> delta = change(from, to);
  if (delta.empty()) return;
  if (linear && chosen(from.name)) return take_matrix(from, delta);
  if (options_.on("save-others") && chosen(from.name)) {
    whole_.push_back(&to);
  } else {
    ++left_out_;
  }
}

std::string Extraction::config_json() const {
  i64 rank = 1;
  for (const Factors& one : factors_)
    rank = std::max(rank, one.fit.rank);
  std::set<std::string> targets;
  std::set<std::string> saved;
  Json ranks = Json::object();
  const auto last_part = [](const std::string& name) { return name.substr(name.rfind('.') + 1); };
  for (const Factors& one : factors_) {
    targets.insert(last_part(one.module));
    if (one.fit.rank != rank) ranks[one.module] = one.fit.rank;
  }
  for (const SafeEntry* const entry : whole_)
    saved.insert(last_part(entry->name.substr(0, entry->name.rfind('.'))));
  // Scale 1: alpha is the rank.
  return Json({{"peft_type", "LORA"},
               {"task_type", "CAUSAL_LM"},
               {"base_model_name_or_path", options_.text("base")},
               {"r", rank},
               {"lora_alpha", rank},
               {"rank_pattern", ranks},
               {"alpha_pattern", ranks},
               {"target_modules", targets},
               {"modules_to_save", saved.empty() ? Json() : Json(saved)},
               {"fan_in_fan_out", !transposed_.empty()},
               {"lora_dropout", 0.0},
               {"bias", "none"},
               {"inference_mode", true}})
             .dump(2) +
         "\n";
}

void Extraction::write() {
  const StageTimer timer(tool_.ctx().stages->stage("write"));
  io::AtomicDir out(options_.text("output"), tool_.output_options(), true);
  std::vector<SafeWrite> tensors;
  for (const Factors& one : factors_) {
    const std::string prefix = "base_model.model." + one.module;
    // A Tensor has no const form; it is only read.
    tensors.push_back({prefix + ".lora_A.weight",
                       make_tensor(const_cast<f32*>(one.fit.a.data()), {one.fit.rank, one.cols})});
    tensors.push_back({prefix + ".lora_B.weight",
                       make_tensor(const_cast<f32*>(one.fit.b.data()), {one.rows, one.fit.rank})});
  }
  for (const SafeEntry* const entry : whole_)
    tensors.push_back({"base_model.model." + entry->name, entry_tensor(*entry)});
  write_safetensors(out.file("adapter_model.safetensors"), tensors, {{"format", "pt"}});
  io::write_file(out.file("adapter_config.json"), config_json());
  out.commit();
}

void Extraction::run() {
  check_pair();
  find_transposed();
  for (const i64 number : {base_, tuned_})
    add_input_model(tool_, models_[number]);
  tool_.claim_folder(options_.text("output"));
  io::check_replaceable(options_.text("output"), "LoRA adapter",
                        [](const std::string& name) { return name == "adapter_config.json"; });
  for (const std::string& name : models_[base_].names())
    take(*models_[base_].stored(name), *models_[tuned_].stored(name));
  if (factors_.empty() && whole_.empty() && changed_ > 0)
    throw Error(ErrorKind::kData,
                cat(models_[tuned_].path, ": no singular value of what changed in ", changed_,
                    changed_ == 1 ? " matrix" : " matrices", " is above --sv-epsilon ",
                    options_.real("sv-epsilon")),
                "singular values are not shares: take a smaller X");
  if (factors_.empty() && whole_.empty())
    throw Error(ErrorKind::kData,
                cat(models_[tuned_].path, ": no chosen matrix differs from ", models_[base_].path));
  if (left_out_ > 0) {
    tool_.console().message(LogLevel::kWarning,
                            cat(left_out_,
                                " other changed tensors (embeddings, norms, what was "
                                "not chosen) are not in the adapter; --save-others "
                                "keeps those that are chosen whole"));
  }
  write();
  const f64 mean = factors_.empty() ? 1 : kept_ / static_cast<f64>(factors_.size());
  tool_.add_metric("matrices", cat(factors_.size()));
  tool_.add_metric("whole_tensors", cat(whole_.size()));
  tool_.add_metric("left_out", cat(left_out_));
  tool_.add_metric("kept_share", cat(mean));
  tool_.set_summary(cat(factors_.size(), " matrices, on average ", format_fixed(100 * mean, 1),
                        " % of the change"));
  tool_.ctx().memory->release(charged_);
}

}  // namespace

void run_extract(cli::Tool& tool) {
  tool.need_input();
  if (tool.files().size() != 1 || !tool.options().given("base"))
    throw Error(ErrorKind::kUsage, "lora-extract takes one fine-tune, and --base",
                "lm-merge lora-extract --base base tuned -r 32 -o adapter");
  if (tool.options().text("output") == "-")
    throw Error(ErrorKind::kUsage, "lora-extract needs -o FOLDER");
  add_named_input(tool, tool.options().text("base"));
  add_named_input(tool, tool.files()[0]);
  Extraction(tool).run();
}

}  // namespace lm::merge_tool
