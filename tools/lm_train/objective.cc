// From options to an objective: its numbers, the data and the model that it takes.

#include <algorithm>

#include "core/str.h"
#include "model/score_head.h"
#include "tokenizer.h"
#include "train.h"

namespace lm::train_tool {

namespace {

using cli::Options;

[[noreturn]] void usage(std::string message) {
  throw Error(ErrorKind::kUsage, std::move(message));
}

const char* parts_of(train::RecordForm form) {
  switch (form) {
    case train::RecordForm::kPair:
      return "prompt, chosen and rejected completion";
    case train::RecordForm::kLabelled:
      return "prompt, completion and label";
    case train::RecordForm::kClass:
      return "text and label";
    default:
      return "prompt and completion";
  }
}

}  // namespace

const train::ObjectiveDef& objective_def(const Options& o) {
  return *train::find_objective(o.text("objective"));
}

train::ObjectiveOptions objective_options(const Options& o) {
  const train::ObjectiveDef& def = objective_def(o);
  train::ObjectiveOptions out;
  out.name = def.name;
  out.doc_mask = o.on("doc-mask");
  out.z_loss = static_cast<f32>(o.real("z-loss"));
  out.label_smoothing = static_cast<f32>(o.real("label-smoothing"));
  out.loss.kind = train::parse_token_loss(o.text("loss"));
  out.loss.mix = o.real("loss-mix");
  out.loss.emo_mode = o.text("emo-mode") == "2" ? 2 : 1;
  out.loss.emo_cap = o.real("emo-cap");
  out.loss.detach_target = o.on("emo-detach-gt");
  out.robust = o.on("robust");
  out.beta = o.maybe_real("beta").value_or(def.beta);
  out.gamma = o.maybe_real("gamma").value_or(def.gamma);
  out.lambda = o.maybe_real("lambda").value_or(def.lambda);
  out.desirable = o.real("desirable-weight");
  out.undesirable = o.real("undesirable-weight");
  out.others = o.given("mismatched-field");
  out.alpha = o.real("alpha");
  if (def.form == train::RecordForm::kPair && out.label_smoothing >= 0.5f)
    usage(
        cat("--label-smoothing ", out.label_smoothing, ": the share of wrong pairs is below 0.5"));
  return out;
}

train::JrtOptions jrt_options(const Options& o, const std::string& tokenizer, i64 seq_len,
                              i64 vocab) {
  train::JrtOptions out;
  out.prefix = o.maybe_integer("prefix-len").value_or(std::max<i64>(1, seq_len / 2));
  out.share = o.real("mlm-prob");
  out.weight = o.real("mlm-weight");
  if (out.prefix > seq_len)
    usage(cat("--prefix-len ", out.prefix, ": sequences of ", seq_len,
              " tokens have nothing behind it"));
  if (out.share == 0) return out;
  if (!o.given("mlm-token"))
    throw Error(ErrorKind::kUsage,
                "--objective jrt hides tokens of the prefix: --mlm-token says what stands there",
                "--mlm-prob 0 hides none");
  out.mask = token_named("mlm-token", o.text("mlm-token"), tokenizer, vocab);
  return out;
}

std::vector<std::string> class_labels(const Options& o, const train::ObjectiveDef& def) {
  std::vector<std::string> out;
  if (def.form != train::RecordForm::kClass) return out;
  if (!o.given("labels"))
    usage("--objective classify needs --labels, the names of the kinds that records are of");
  for (const std::string_view part : split(o.text("labels"), ',')) {
    const std::string label(trim(part));
    if (label.empty() || std::find(out.begin(), out.end(), label) != out.end())
      usage(cat(
          "--labels ", quote(o.text("labels"), 200),
          label.empty() ? ": a name is empty" : cat(": ", quote(label), " stands there twice")));
    out.push_back(label);
  }
  if (out.size() < 2) usage("--labels: one kind leaves nothing to learn, expected two or more");
  return out;
}

void check_data(const Options& o, const train::ObjectiveDef& def) {
  const std::string& order = o.text("order");
  if (def.form == train::RecordForm::kDocuments) {
    if (order != "shuffle" && order != "sequential" && !o.list("weight").empty())
      usage(cat("--order ", order, " takes the documents of all shards, without --weight"));
    if (o.given("infill") && !o.list("data").empty() && order != "documents")
      usage("--infill changes whole documents: --order documents, or a stream of records");
    return;
  }
  if (order != "shuffle" && order != "sequential")
    usage(cat("--order ", order, " is of documents, and --objective ", def.name,
              " takes records with ", parts_of(def.form)));
  if (!o.list("data").empty())
    usage(cat("--data holds token shards, but --objective ", def.name, " takes records with ",
              parts_of(def.form)));
  if (!o.list("eval-data").empty())
    usage(cat("--eval-data measures next-token loss on shards, not --objective ", def.name));
}

void load_initial(const Options& o, const train::ObjectiveDef& def, u64 seed, i64 ranks,
                  Setup& setup) {
  const std::string& folder = o.text("init-from");
  if (!model::model_parts(folder).adapter.empty())
    throw Error(ErrorKind::kUsage,
                cat("--init-from ", folder, ": training begins with a whole model"),
                "lm-merge --method passthrough BASE+ADAPTER -o MODEL makes one of both");
  const model::ModelCfg cfg = model::load_config(folder);
  const bool headed = def.scores && cfg.kind == model::ModelKind::kDecoder;
  if (cfg.diffusion ? !def.masked : !headed) model::require_decoder(cfg, folder);
  if (def.scores && o.given("lora"))
    throw Error(ErrorKind::kUsage,
                cat("--lora: adapters have no head, and --objective ", def.name, " trains one"));
  setup.initial = o.given("lora") ? model::load_with_lora(folder, lora_settings(o), seed, ranks)
                                  : model::load_model(folder, ranks);
  if (def.scores) {
    const std::vector<std::string> labels = class_labels(o, def);
    const i64 scores = labels.empty() ? 1 : isize(labels);
    setup.initial = model::with_score_head(std::move(*setup.initial), seed, ranks, scores);
    if (!labels.empty()) model::name_scores(setup.initial->cfg, labels);
  }
  setup.cfg = setup.initial->cfg;
}

}  // namespace lm::train_tool
