// prefs: sequences over few symbols, judged by a hidden reward. Source: the tabular and small
// language model settings of direct preference methods; labels are Bradley and Terry's.

#include <cmath>

#include "core/str.h"
#include "synth/fields.h"
#include "synth/reward.h"
#include "synth/task.h"

namespace lm::synth {

namespace {

using Ids = std::vector<i64>;

struct Answers final : Drawn {
  Ids prompt;
  Ids one, other;
  f64 chance = 0;  // drawn for the label
};

class Preferences final : public Task {
 public:
  Preferences(const Params& params, const TaskSetup& setup)
      : vocab_(params.whole("vocab")),
        prompt_(params.whole("prompt")),
        most_(params.whole("most")),
        kind_(params.text("kind")),
        ids_(setup.form == "ids"),
        reward_(setup.seed, vocab_, params.real("scale")),
        instance_(reward_.json()) {}

  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("prefs");
    auto out = std::make_unique<Answers>();
    out->prompt = draw_text(prompt_, draws);
    out->one = draw_text(draws.within(1, most_), draws);
    out->other = draw_text(draws.within(1, most_), draws);
    out->chance = draws.uniform();
    const bool pairs = kind_ == "pairs";
    // A pair is the same whichever is named first; labels and plain ones have one completion.
    const bool swapped = pairs && out->other < out->one;
    out->canonical = cat(key_of(out->prompt), "|", key_of(swapped ? out->other : out->one), "|",
                         pairs ? key_of(swapped ? out->one : out->other) : "");
    return out;
  }

  void write(const Drawn& drawn, const Place&, std::string& fields) const override {
    const Answers& it = static_cast<const Answers&>(drawn);
    add(fields, "prompt", it.prompt, "");
    add_json(fields, "instance", instance_);
    const f64 one = reward_(it.one), other = reward_(it.other);
    if (kind_ != "pairs") {
      add(fields, "completion", it.one, " ");
      if (kind_ == "labels")
        add_json(fields, "label", it.chance < 1 / (1 + std::exp(-one)) ? "true" : "false");
      return add_json(fields, "reward", cat(one));
    }
    const bool first = it.chance < 1 / (1 + std::exp(other - one));
    add(fields, "chosen", first ? it.one : it.other, " ");
    add(fields, "rejected", first ? it.other : it.one, " ");
    add_json(fields, "reward_chosen", cat(first ? one : other));
    add_json(fields, "reward_rejected", cat(first ? other : one));
  }
  f64 space() const override {
    const f64 v = static_cast<f64>(vocab_);
    // As if all were as rare as the longest, since lengths are uniform.
    const f64 texts = static_cast<f64>(most_) * std::pow(v, static_cast<f64>(most_));
    return std::pow(v, static_cast<f64>(prompt_)) * (kind_ == "pairs" ? texts * texts : texts);
  }
  i64 id_count() const override { return ids_ ? vocab_ : 0; }

 private:
  Ids draw_text(i64 length, Draws& draws) const {
    Ids out(usize(length));
    for (i64& id : out)
      id = draws.below(vocab_);
    return out;
  }
  void add(std::string& fields, const std::string& name, const Ids& text,
           std::string_view before) const {
    if (ids_)
      add_list(fields, name + "_ids", text);
    else
      add_text(fields, name, cat(before, words(text, vocab_, {})));
  }
  i64 vocab_, prompt_, most_;
  std::string kind_;
  bool ids_;
  Reward reward_;
  std::string instance_;
};

}  // namespace

void add_preference_task(std::vector<TaskInfo>& out) {
  out.push_back(
      {.name = "prefs",
       .summary =
           "prompts with a better and a worse completion, by a reward that the seed has drawn",
       .forms = {"text", "ids"},
       .params = {{"kind",
                   Param::Kind::kChoice,
                   "pairs",
                   "chosen and rejected; completions with labels; completions alone",
                   0,
                   0,
                   {"pairs", "labels", "plain"}},
                  {"vocab", Param::Kind::kWhole, "16", "symbols", 2, kMostRewarded},
                  {"prompt", Param::Kind::kWhole, "4", "symbols of a prompt", 1, 1000},
                  {"most", Param::Kind::kWhole, "12", "symbols of a completion, 1 to that many", 1,
                   1000},
                  {"scale", Param::Kind::kReal, "0.5",
                   "standard deviation of the weights of symbols and of pairs of them", 0,
                   kMostScale}},
       .make = [](const Params& params, const TaskSetup& setup) -> std::unique_ptr<Task> {
         return std::make_unique<Preferences>(params, setup);
       }});
}

}  // namespace lm::synth
