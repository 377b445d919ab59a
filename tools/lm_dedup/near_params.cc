#include "near_params.h"

#include "text/normalize.h"

namespace lm::dedup_tool {

namespace {

dedup::ShingleUnit unit_of(const std::string& name) {
  return name == "char"    ? dedup::ShingleUnit::kChar
         : name == "byte"  ? dedup::ShingleUnit::kByte
         : name == "token" ? dedup::ShingleUnit::kToken
                           : dedup::ShingleUnit::kWord;
}

}  // namespace

dedup::NearParams near_params(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  dedup::NearParams p;
  p.minhash = dedup::find_minhash_preset(options.text("preset"))->params;
  p.minhash.seed = tool.seed();
  if (options.given("normalise"))
    p.minhash.normaliser = *text::find_normaliser(options.text("normalise"));
  if (options.given("unit")) p.minhash.unit = unit_of(options.text("unit"));
  if (options.given("n")) p.minhash.n = options.integer("n");
  p.threshold = options.real("threshold");
  if (options.given("perms")) {
    const dedup::BandShape shape = dedup::best_bands(p.threshold, options.integer("perms"));
    p.minhash.bands = shape.bands;
    p.minhash.rows = shape.rows;
  }
  if (options.given("bands")) p.minhash.bands = options.integer("bands");
  if (options.given("rows")) p.minhash.rows = options.integer("rows");
  const std::string& verify = options.text("verify");
  p.verify = verify == "none"     ? dedup::Verify::kNone
             : verify == "sketch" ? dedup::Verify::kSketch
                                  : dedup::Verify::kExact;
  p.rule = options.text("cluster") == "leader" ? dedup::ClusterRule::kLeader
                                               : dedup::ClusterRule::kComponents;
  p.margin = options.real("margin");
  p.leaders = options.integer("leaders");
  p.hot = options.integer("hot");
  return p;
}

}  // namespace lm::dedup_tool
