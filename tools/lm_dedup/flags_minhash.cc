// The options of lm-dedup minhash.

#include "dedup/minhash.h"
#include "flags.h"

namespace lm::dedup_tool {

namespace {

using cli::Flag;
using cli::FlagKind;

std::vector<std::string> preset_names() {
  std::vector<std::string> all;
  for (const dedup::MinhashPreset& preset : dedup::minhash_presets())
    all.push_back(preset.name);
  return all;
}

}  // namespace

cli::Verb minhash_verb() {
  const std::string sign = "Shingles and bands";
  const std::string pairs = "Pairs and clusters";
  const std::vector<Flag> own = {
      {.name = "preset",
       .kind = FlagKind::kChoice,
       .value_name = "NAME",
       .group = sign,
       .def = "fineweb",
       .help = "normaliser, unit, n, bands and rows of a published corpus",
       .choices = preset_names(),
       .main = true},
      {.name = "normalise",
       .kind = FlagKind::kChoice,
       .value_name = "NAME",
       .group = sign,
       .help = "instead of the preset's",
       .choices = normaliser_choices()},
      {.name = "unit",
       .kind = FlagKind::kChoice,
       .value_name = "UNIT",
       .group = sign,
       .help = "instead of the preset's",
       .choices = {"word", "char", "byte", "token"}},
      {.name = "n",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = sign,
       .help = "units per shingle, instead of the preset's",
       .min = 1},
      {.name = "bands",
       .kind = FlagKind::kCount,
       .value_name = "B",
       .group = sign,
       .help = "instead of the preset's",
       .min = 1},
      {.name = "rows",
       .kind = FlagKind::kCount,
       .value_name = "R",
       .group = sign,
       .help = "minima per band, instead of the preset's",
       .min = 1},
      {.name = "perms",
       .kind = FlagKind::kCount,
       .value_name = "K",
       .group = sign,
       .help = "the best bands x rows <= K for --threshold",
       .min = 2,
       .excludes = {"bands", "rows"}},
      {.name = "tokenizer",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = sign,
       .help = "for --unit token",
       .semantic = false},
      missing_flag(),
      {.name = "verify",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = pairs,
       .def = "exact",
       .help = "how a candidate pair is checked",
       .details = "exact: Jaccard similarity of the shingle sets, candidates are read twice. "
                  "sketch: share "
                  "of equal minima, standard deviation sqrt(J (1 - J) / K). none: one equal band "
                  "is enough.",
       .choices = {"exact", "sketch", "none"}},
      {.name = "threshold",
       .kind = FlagKind::kFloat,
       .value_name = "J",
       .group = pairs,
       .def = "0.8",
       .help = "least similarity of a pair",
       .min = 0,
       .max = 1,
       .main = true,
       .needs = {"verify=exact,sketch|perms"}},
      {.name = "margin",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = pairs,
       .def = "0",
       .help = "a sketch is accepted from --threshold minus this",
       .min = 0,
       .max = 1,
       .needs = {"verify=sketch"}},
      {.name = "cluster",
       .kind = FlagKind::kChoice,
       .value_name = "RULE",
       .group = pairs,
       .def = "components",
       .help = "chains of pairs, or only what is similar to a kept document",
       .choices = {"components", "leader"}},
      {.name = "leaders",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = pairs,
       .def = "16",
       .help = "documents of one group that others are compared with",
       .min = 1},
      {.name = "hot",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = pairs,
       .def = "1e6",
       .help = "report groups with more documents",
       .semantic = false},
      {.name = "max-copies",
       .kind = FlagKind::kCount,
       .value_name = "C",
       .group = "Duplicates",
       .def = "1",
       .help = "documents of a cluster that are kept",
       .min = 1},
      {.name = "cluster-info",
       .kind = FlagKind::kSwitch,
       .group = "Duplicates",
       .help = "add metadata.lm_dedup with cluster, size, rank, kept"},
      {.name = "table",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = "Duplicates",
       .help = "write id, cluster, size, rank, kept of every clustered document",
       .semantic = false,
       .writes = true},
  };
  return {"minhash", "near duplicates by MinHash, verified",
          cli::joined({own, action_flags("minhash"), {prefer_flag()}})};
}

}  // namespace lm::dedup_tool
