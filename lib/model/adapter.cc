#include "model/adapter.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"
#include "text/pretokenize.h"

namespace lm::model {

namespace {

namespace fs = std::filesystem;
using io::Json;
using io::JsonNode;

constexpr i64 kMaxConfigBytes = i64{16} << 20;

std::string in_folder(const std::string& folder, const char* name) {
  return (fs::path(folder) / name).string();
}

bool matches(const text::Regex& pattern, const std::string& name) {
  std::vector<text::Span> found;
  pattern.find_all(name, found);
  return !found.empty();
}

[[noreturn]] void refuse_missing(const std::string& path, const char* what) {
  const bool looks_like_hub =
      path[0] != '/' && path[0] != '.' && std::count(path.begin(), path.end(), '/') == 1;
  throw Error(ErrorKind::kNoInput, cat(path, ": no such ", what, " folder"),
              looks_like_hub ? "models are local folders: download it first" : "");
}

/// What a tensor's name in an adapter says.
struct Part {
  std::string module;  // as the base names it, without "weight" where there are factors
  char factor = 0;     // 'A', 'B'; 0 for a whole tensor
  bool embedding = false;
};

// Takes `word` out of `text` with what stands before the next dot, where `named` says so.
void take_out(std::string& text, std::string_view word, bool named) {
  const std::size_t at = text.find(word);
  if (at == std::string::npos) return;
  std::size_t end = at + word.size();
  if (named) end = std::min(text.find('.', end), text.size());
  text.erase(at, end - at);
}

std::optional<Part> parse_name(std::string_view name) {
  constexpr std::string_view kPrefix = "base_model.model.";
  Part part;
  part.module = std::string(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name);
  struct Factor {
    std::string_view suffix;
    char factor;
    bool embedding;
  };
  for (const Factor& one :
       {Factor{".lora_A.weight", 'A', false}, Factor{".lora_B.weight", 'B', false},
        Factor{".lora_embedding_A", 'A', true}, Factor{".lora_embedding_B", 'B', true}}) {
    if (!part.module.ends_with(one.suffix)) continue;
    part.module.resize(part.module.size() - one.suffix.size());
    part.factor = one.factor;
    part.embedding = one.embedding;
    return part;
  }
  if (part.module.find(".lora_") != std::string::npos) return std::nullopt;
  // Older layouts name the copy that was trained: "lm_head.modules_to_save.default.weight".
  take_out(part.module, ".modules_to_save.", true);
  take_out(part.module, ".original_module", false);
  take_out(part.module, ".base_layer", false);
  return part;
}

// The base's name for a module: adapters are made on models with or without their outer class.
std::string name_in_base(const SafeModel& base, const std::string& tensor) {
  const std::size_t dot = tensor.find('.');
  for (const std::string& name :
       {tensor, dot == std::string::npos ? tensor : tensor.substr(dot + 1), "model." + tensor,
        "transformer." + tensor}) {
    if (base.find(name) != nullptr) return name;
  }
  return {};
}

/// Rank and alpha, which patterns may set for single modules.
class Scales {
 public:
  Scales(const JsonNode& fields, const Json& config, const std::string& file)
      : rank_(fields.integer("r", 1, 1 << 20)),
        alpha_(fields.number("lora_alpha", -1e30, 1e30)),
        root_(fields.flag_or("use_rslora", false)) {
    read_patterns(config, "rank_pattern", file, ranks_);
    read_patterns(config, "alpha_pattern", file, alphas_);
  }
  i64 rank(const std::string& module) const {
    return static_cast<i64>(find(ranks_, module, static_cast<f64>(rank_)));
  }
  f64 scale(const std::string& module) const {
    const f64 rank = find(ranks_, module, static_cast<f64>(rank_));
    return find(alphas_, module, alpha_) / (root_ ? std::sqrt(rank) : rank);
  }

 private:
  struct Pattern {
    text::Regex regex;
    f64 value;
  };
  static void read_patterns(const Json& config, const char* key, const std::string& file,
                            std::vector<Pattern>& to) {
    if (!config.contains(key) || config[key].is_null()) return;
    const Json& patterns = config[key];
    bool good = patterns.is_object();
    for (const auto& [name, value] : patterns.items())
      good = good && value.is_number() && value.get<f64>() >= 1;
    if (!good) {
      throw Error(ErrorKind::kData,
                  cat(file, ": key ", quote(key), ", expected modules with positive numbers"));
    }
    for (const auto& [name, value] : patterns.items())
      to.push_back({text::Regex(cat("^(?:.*\\.)?(?:", name, ")$")), value.get<f64>()});
  }
  static f64 find(const std::vector<Pattern>& patterns, const std::string& module, f64 otherwise) {
    for (const Pattern& pattern : patterns)
      if (matches(pattern.regex, module)) return pattern.value;
    return otherwise;
  }

  i64 rank_;
  f64 alpha_;
  bool root_;
  std::vector<Pattern> ranks_, alphas_;
};

void check_variant(const JsonNode& fields) {
  if (fields.text_or("peft_type", "LORA") != "LORA") fields.fail("peft_type", "\"LORA\"");
  if (fields.flag_or("use_dora", false))
    fields.fail("use_dora", "false: DoRA also changes the norms of columns");
}

[[noreturn]] void refuse(const std::string& file, const SafeEntry& entry, const std::string& what,
                         const std::string& hint = {}) {
  throw Error(ErrorKind::kData, cat(file, ": tensor ", quote(entry.name, 200), " ", what), hint);
}

void check_factor(const std::string& file, const SafeEntry& entry) {
  if (entry.shape.rank != 2)
    refuse(file, entry, cat("is ", to_string(entry.shape), ", expected a matrix"));
  if (!is_weight(entry.dtype))
    refuse(file, entry, cat("is of type ", dtype_name(entry.dtype), ", expected f32, bf16 or f16"));
}

}  // namespace

bool is_adapter(const std::string& folder) {
  return io::path_exists(in_folder(folder, kAdapterConfig)) &&
         !io::path_exists(in_folder(folder, "config.json"));
}

ModelPath find_model(const std::string& path, const std::string& adapter_base) {
  if (!io::path_exists(path)) {
    for (std::size_t plus = path.find('+'); plus != std::string::npos;
         plus = path.find('+', plus + 1)) {
      ModelPath pair{path.substr(0, plus), path.substr(plus + 1)};
      if (plus > 0 && io::path_exists(pair.base)) {
        if (!io::path_exists(pair.adapter)) refuse_missing(pair.adapter, "adapter");
        return pair;
      }
    }
    refuse_missing(path, "model");
  }
  if (!is_adapter(path)) return {path, {}};
  std::string base = adapter_base;
  if (base.empty() || base == path) {
    base = Adapter::named_base(path);
    if (base.empty() || !io::path_exists(base))
      throw Error(ErrorKind::kNoInput,
                  cat(path, ": an adapter", base.empty() ? "" : cat(" for ", quote(base, 200)),
                      ", whose base is not here"),
                  cat("name the model that it goes on: BASE+", path));
  }
  if (!io::path_exists(base)) refuse_missing(base, "model");
  return {base, path};
}

std::string Adapter::named_base(const std::string& folder) {
  const std::string file = in_folder(folder, kAdapterConfig);
  const Json config = io::parse_object(io::read_file(file, kMaxConfigBytes), file);
  return JsonNode(config, file).text_or("base_model_name_or_path", "");
}

Adapter Adapter::open(const std::string& folder, const SafeModel& base,
                      const std::string& base_folder) {
  const std::string file = in_folder(folder, kAdapterConfig);
  const Json config = io::parse_object(io::read_file(file, kMaxConfigBytes), file);
  const JsonNode fields(config, file);
  check_variant(fields);
  const Scales scales(fields, config, file);
  const bool stored_transposed = fields.flag_or("fan_in_fan_out", false);
  const std::string weights = in_folder(folder, kAdapterWeights);
  if (!io::path_exists(weights)) {
    throw Error(ErrorKind::kNoInput, cat(weights, ": no such file"),
                io::path_exists(in_folder(folder, "adapter_model.bin"))
                    ? "adapter_model.bin is a pickle, which is not read: save it as safetensors"
                    : "");
  }
  Adapter out(folder, SafeModel::open(weights));
  struct Factors {
    const SafeEntry* a = nullptr;
    const SafeEntry* b = nullptr;
    bool embedding = false;
  };
  std::map<std::string, Factors> modules;
  for (const SafeEntry* const entry : out.files_.entries()) {
    const std::optional<Part> part = parse_name(entry->name);
    if (!part) refuse(weights, *entry, "is neither a factor A or B nor a whole tensor");
    if (part->factor == 0) {
      const std::string name = name_in_base(base, part->module);
      out.whole_[name.empty() ? part->module : name] = entry;
      continue;
    }
    check_factor(weights, *entry);
    Factors& factors = modules[part->module];
    factors.embedding = part->embedding;
    (part->factor == 'A' ? factors.a : factors.b) = entry;
  }
  if (modules.empty() && out.whole_.empty())
    throw Error(ErrorKind::kData, cat(weights, ": holds no tensors, expected factors A and B"));
  for (const auto& [module, factors] : modules) {
    const SafeEntry& known = factors.a != nullptr ? *factors.a : *factors.b;
    if (factors.a == nullptr || factors.b == nullptr)
      refuse(weights, known, cat("stands alone, expected factor ", factors.a ? "B" : "A", " too"));
    const std::string name = name_in_base(base, module + ".weight");
    const SafeEntry* const whole = out.whole(name);
    const SafeEntry* const tensor = whole != nullptr ? whole : base.find(name);
    if (tensor == nullptr) {
      refuse(weights, known, cat("adapts a module that ", base_folder, " does not store"),
             "is it an adapter for another model?");
    }
    const i64 rank = scales.rank(module);
    if (factors.a->shape[0] != rank || factors.b->shape[1] != rank) {
      refuse(weights, known,
             cat("and its pair are ", to_string(factors.a->shape), " and ",
                 to_string(factors.b->shape), ", but ", file, " says rank ", rank));
    }
    LowRank delta{factors.a, factors.b, scales.scale(module),
                  factors.embedding || stored_transposed};
    // fan_in_fan_out is one word for a model in which some layers are stored so and others are not.
    if (!factors.embedding && !(delta.shape() == tensor->shape)) delta.transposed ^= true;
    if (!(delta.shape() == tensor->shape)) {
      delta.transposed = factors.embedding || stored_transposed;
      refuse(weights, known,
             cat("makes a change of shape ", to_string(delta.shape()), ", but ", base_folder,
                 ": tensor ", quote(name, 200), " is ", to_string(tensor->shape)));
    }
    if (!is_floating(tensor->dtype)) {
      refuse(weights, known,
             cat("adapts ", quote(name, 200), ", whose type is ", dtype_name(tensor->dtype)));
    }
    out.deltas_.emplace(tensor, delta);
  }
  return out;
}

const SafeEntry* Adapter::whole(std::string_view tensor) const {
  const auto at = whole_.find(tensor);
  return at != whole_.end() ? at->second : nullptr;
}

std::vector<std::string> Adapter::whole_names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : whole_)
    names.push_back(name);
  return names;
}

const LowRank* Adapter::delta(const SafeEntry& tensor) const {
  const auto at = deltas_.find(&tensor);
  return at != deltas_.end() ? &at->second : nullptr;
}

}  // namespace lm::model
