#include "model/sparse_layers.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"

namespace lm::model {

namespace {

constexpr const char* kKey = "lm_sparse";
constexpr i64 kMost = kMaxSparseWindow;

struct Setting {
  const char* name;
  i32 SparseMask::*field;
};
constexpr Setting kSettings[] = {
    {"block", &SparseMask::block},
    {"local", &SparseMask::local},
    {"global", &SparseMask::global},
    {"patterns", &SparseMask::patterns},
};

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorKind::kUsage, std::move(message),
              "for example fixed:block=16,local=8,global=1,patterns=8");
}

const AttentionCfg* sparse_of(const LayerCfg& layer) {
  const AttentionCfg* const a = std::get_if<AttentionCfg>(&layer.mixer);
  return a != nullptr && a->sparse.on() ? a : nullptr;
}

}  // namespace

bool is_sparse_setting(std::string_view name) {
  return std::any_of(std::begin(kSettings), std::end(kSettings),
                     [&](const Setting& one) { return name == one.name; });
}

SparseMask parse_sparse(std::string_view text) {
  SparseMask mask{16, 8, 1, 0};
  const std::size_t colon = text.find(':');
  if (!text.empty() && text.substr(0, colon) != "fixed")
    refuse(cat("sparse: ", quote(text), " is not fixed, or fixed:SETTINGS"));
  if (colon != std::string_view::npos) {
    for (const std::string_view part : split(text.substr(colon + 1), ',')) {
      const std::size_t equals = part.find('=');
      const Setting* found = nullptr;
      for (const Setting& one : kSettings)
        if (equals != std::string_view::npos && part.substr(0, equals) == one.name) found = &one;
      if (found == nullptr) refuse(cat("sparse: ", quote(part), " is no setting"));
      const std::optional<i64> value = parse_count(part.substr(equals + 1));
      if (!value || *value < 1 || *value > kMost)
        refuse(cat("sparse: ", quote(part), ": expected a count from 1 to ", kMost));
      mask.*found->field = static_cast<i32>(*value);
    }
  }
  if (mask.block % kSparseUnit != 0)
    refuse(cat("sparse: block is ", mask.block, ", expected a multiple of ", kSparseUnit));
  if (mask.patterns == 0) mask.patterns = std::max(1, mask.local / mask.global);
  if (i64{mask.global} * mask.patterns > mask.local)
    refuse(cat("sparse: ", mask.patterns, " patterns of ", mask.global,
               " blocks do not fit a window of local=", mask.local));
  if (!possible(mask))
    refuse(cat("sparse: a window of ", mask.window(), " tokens, expected at most ", kMost));
  return mask;
}

void set_sparse(std::string_view which, std::string_view settings, ModelCfg& cfg) {
  if (which.empty() || which == "dense") {
    if (!settings.empty()) refuse("sparse: no layer is, attn is dense");
    return;
  }
  const bool every = which == "sparse";
  if (!every && which != "alternating")
    refuse(cat("attn is ", quote(which), ", expected dense, alternating or sparse"));
  const SparseMask mask = parse_sparse(settings);
  for (i64 i = 0; i < cfg.depth(); i += every ? 1 : 2) {
    AttentionCfg* const a = std::get_if<AttentionCfg>(&cfg.layers[usize(i)].mixer);
    if (a == nullptr || a->window > 0)
      throw Error(ErrorKind::kUsage, cat("attn ", which, ": layer ", i,
                                         a == nullptr ? " does not attend" : " has a window"));
    a->sparse = mask;
  }
}

void read_sparse(const io::JsonNode& json, ModelCfg& cfg) {
  if (!json.has(kKey)) return;
  const io::JsonNode node = json.object(kKey);
  node.only({"pattern", "block", "local", "global", "patterns", "layers"});
  if (node.text("pattern") != "fixed") node.fail("pattern", "\"fixed\"");
  SparseMask mask;
  for (const Setting& one : kSettings)
    mask.*one.field = static_cast<i32>(node.integer(one.name, 1, kMost));
  if (!possible(mask))
    json.fail(kKey, cat("blocks of a multiple of ", kSparseUnit,
                        " tokens, patterns * global at "
                        "most local, and a window of at most ",
                        kMost, " tokens"));
  node.array("layers").each_item([&](const io::JsonNode& item) {
    const i64 layer = item.as_integer().value_or(-1);
    if (layer < 0 || layer >= cfg.depth()) node.fail("layers", cat("numbers below ", cfg.depth()));
    AttentionCfg* const a = std::get_if<AttentionCfg>(&cfg.layers[usize(layer)].mixer);
    if (a == nullptr) node.fail("layers", "layers that attend");
    a->sparse = mask;
  });
}

void write_sparse(const ModelCfg& cfg, io::Json& json) {
  io::Json out;
  for (i64 i = 0; i < cfg.depth(); ++i) {
    const AttentionCfg* const a = sparse_of(cfg.layers[usize(i)]);
    if (a == nullptr) continue;
    if (out.is_null()) {
      out["pattern"] = "fixed";
      for (const Setting& one : kSettings)
        out[one.name] = a->sparse.*one.field;
      out["layers"] = io::Json::array();
    }
    out["layers"].push_back(i);
  }
  if (out.is_null()) {
    json.erase(kKey);
    return;
  }
  json[kKey] = out;
  json["architectures"] = {cat("Sparse", json["architectures"][0].get<std::string>())};
}

}  // namespace lm::model
