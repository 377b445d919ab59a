// --lora.

#include <cmath>

#include "core/str.h"
#include "train.h"

namespace lm::train_tool {

namespace {

constexpr i64 kMostRank = 1 << 16;

[[noreturn]] void wrong(std::string_view setting, const std::string& expected) {
  throw Error(ErrorKind::kUsage,
              cat("--lora: setting ", quote(setting, 200), ", expected ", expected),
              "as in --lora r=16,alpha=32,rs,dropout=0.05,targets=q_proj+v_proj");
}

f64 number(std::string_view setting, std::string_view text, f64 least, f64 most,
           const std::string& expected) {
  const std::optional<f64> value = parse_float(text);
  if (!value || !(*value >= least) || !(*value <= most)) wrong(setting, expected);
  return *value;
}

}  // namespace

model::LoraCfg lora_settings(const cli::Options& o) {
  model::LoraCfg lora;
  lora.base = o.text("init-from");
  std::optional<f64> alpha;
  const std::string& settings = o.text("lora");
  for (const std::string_view setting : split(settings, ',')) {
    const std::size_t equal = setting.find('=');
    const std::string_view name = setting.substr(0, equal);
    const std::string_view value =
        equal == std::string_view::npos ? std::string_view() : setting.substr(equal + 1);
    if (setting == "rs") {
      lora.rank_stabilised = true;
    } else if (name == "r") {
      const std::optional<i64> rank = parse_int(value);
      if (!rank || *rank < 1 || *rank > kMostRank)
        wrong(setting, cat("a rank from 1 to ", kMostRank));
      lora.rank = *rank;
    } else if (name == "alpha") {
      alpha = number(setting, value, 1e-9, 1e9, "a positive number");
    } else if (name == "dropout") {
      lora.dropout = number(setting, value, 0, 0.95, "a share from 0 to 0.95");
    } else if (name == "targets" && !value.empty()) {
      for (const std::string_view target : split(value, '+'))
        lora.targets.emplace_back(target);
    } else {
      wrong(setting, "r=N, alpha=X, rs, dropout=P or targets=NAME+NAME");
    }
  }
  lora.alpha = alpha.value_or(static_cast<f64>(2 * lora.rank));
  return lora;
}

}  // namespace lm::train_tool
