#include "drafting.h"

#include <filesystem>

#include "core/hash.h"
#include "core/str.h"
#include "decode/draft_model.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> draft_flags() {
  const std::string group = "Drafts";
  const std::vector<std::string> kinds = {"none", "prompt-lookup",  "ngram", "suffix",
                                          "aded", "aded-published", "model", "ngram-model"};
  const std::string any = "draft=prompt-lookup,ngram,suffix,aded,aded-published,model,ngram-model";
  return {
      {.name = "draft",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = group,
       .def = "none",
       .help = "guess tokens and check several in one pass; does not change results",
       .details =
           "prompt-lookup: what followed the last place where the text's last three tokens stood, "
           "or two, or one. ngram: by counts of what followed one to four tokens. suffix: what "
           "followed the longest end of the text that stood before. aded: a tree search over "
           "weights of three tokens that adapt to the text; aded-published: the same without the "
           "prompt. model: a smaller model. ngram-model: an n-gram model of tokens.",
       .choices = kinds,
       .semantic = false},
      {.name = "draft-length",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .help = "guesses of a sample at a time, at most 64; does not change results",
       .details = "Default: 10 (prompt-lookup), 16 (ngram, ngram-model), 32 (suffix), 64 (aded), 5 "
                  "(model).",
       .min = 1,
       .max = static_cast<f64>(decode::kMostDraft),
       .semantic = false,
       .needs = {any}},
      {.name = "draft-all",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "check all guesses, also those that are not worth their rows",
       .semantic = false,
       .needs = {any}},
      {.name = "draft-scope",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = group,
       .def = "record",
       .help = "what guesses learn from: a text alone, or all texts of the run",
       .choices = {"record", "stream"},
       .semantic = false,
       .needs = {"draft=ngram,suffix,aded,aded-published"}},
      {.name = "draft-file",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "learn from the texts of earlier runs too, and keep those of this one for later",
       .details = "The last 262,144 tokens are kept. A file that is not there is written at the "
                  "end. One tokenizer has one file.",
       .semantic = false,
       .needs = {"draft=ngram,suffix,aded,aded-published"}},
      {.name = "draft-model",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = group,
       .help = "the smaller model's folder, with the same tokenizer, or the n-gram model's file",
       .details = "An n-gram model is what lm-ngram train --tokenizer FOLDER makes of that "
                  "tokenizer's tokens, ARPA or LMNG.",
       .semantic = false,
       .needs = {"draft=model,ngram-model"}},
  };
}

Drafting::Drafting(cli::Tool& tool, const Models& models)
    : kind_(tool.options().text("draft")),
      tokenizer_(xxh3_64(models.main->tokenizer().digest())),
      checked_(!tool.options().on("draft-all")) {
  const cli::Options& options = tool.options();
  if (kind_ == "none") return;
  if (kind_ == "model") {
    model_ = models.second;
    rows_ = 5;
  } else if (kind_ == "ngram-model") {
    ngrams_ = models.ngrams;
    rows_ = 16;
  } else {
    decode::DraftTexts earlier;
    if (options.given("draft-file")) {
      file_ = options.text("draft-file");
      tool.add_input(file_);
      tool.owe(file_);
      if (std::filesystem::exists(file_)) earlier.load(file_, tokenizer_);
    }
    const bool shared = !file_.empty() || options.text("draft-scope") == "stream";
    source_ = std::make_shared<decode::DraftSource>(kind_, shared, std::move(earlier));
    rows_ = source_->rows();
  }
  if (options.given("draft-length")) rows_ = options.integer("draft-length");
}

void Drafting::set(decode::GenerateOptions& out) const {
  if (kind_ == "none") return;
  out.draft_rows = rows_;
  out.draft_auto = checked_;
  if (model_) {
    out.drafter = [model = model_](const decode::DraftSubject& subject) {
      return std::make_unique<decode::ModelDrafter>(model->engine(), subject);
    };
  } else if (ngrams_) {
    out.drafter = [ngrams = ngrams_](const decode::DraftSubject&) {
      return std::make_unique<decode::NgramModelDrafter>(ngrams);
    };
  } else {
    out.drafter = [source = source_](const decode::DraftSubject&) { return source->make(); };
  }
}

void Drafting::save(cli::Tool& tool) const {
  if (file_.empty()) return;
  source_->texts().save(file_, tokenizer_);
  tool.settle(file_);
}

}  // namespace lm::decode_tool
