#pragma once
// One sample of masked diffusion: which places of a text lose their mask at which step, and what
// stands there then. It knows no model: whoever has one asks next() for a pass, gives the logits of
// the places that are wanted, and settles. What is given is never touched, the mask token is never
// drawn, and what is drawn depends on (seed, id, step, place, sample) alone.
// A place of the ancestral sampler has one uniform number that says at which step its mask goes
// (with time t as the share of masks, it holds one while the number is below t): steps at which
// none goes need no pass, so `cached` leaves them out and draws the same text.
// Sources: Sahoo et al. 2024 (MDLM: SUBS, ancestral and cached); Nie et al. 2025 (LLaDA: blocks,
// confidence, guidance); Wang et al. 2025 (ReMDM: masking again, the share of masks being as
// without); Arriola et al. 2025 (block diffusion); Xu et al. 2024 (EDLM: importance resampling).

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "decode/draw.h"
#include "decode/params.h"
#include "decode/sampler.h"

namespace lm::decode {

enum class DiffusionSampler : u8 { kAncestral, kCached, kConfidence, kRandom, kThreshold };

/// Of a run.
struct DiffusionRule {
  DiffusionSampler sampler = DiffusionSampler::kCached;
  i64 steps = 0;        // over all places, blocks share them evenly; 0: a step a place
  i64 block = 0;        // places that are filled before those behind them; 0: all
  f64 remask = 0;       // ancestral, cached: probability that a filled place is masked again
  f64 threshold = 0.9;  // threshold: confidence that fills a place
  bool final_draw =
      false;         // ancestral, cached: what is left at the end is drawn, not the likeliest
  f64 guidance = 0;  // S: logits are u + (S + 1)(c - u), u those without what is given
  // ancestral, cached: at times window_end to window_begin whole texts are drawn from the model,
  // and one of them with probability softmax(-E / tau), E being an energy, takes its place.
  i64 candidates = 1;
  f64 window_begin = 1;
  f64 window_end = 0.4;
  f64 tau = 1;
};
constexpr i64 kMostDiffusionSteps = 65535;

/// Steps of the ancestral sampler: times fall evenly from 1 to kLastTime.
class ReverseSteps {
 public:
  ReverseSteps(i64 count, f64 remask) : count_(count), remask_(remask) {}
  i64 count() const { return count_; }
  /// Expected share of masks before a step, 0 to count.
  f64 time(i64 step) const;
  /// Probability that a step masks a filled place: at most what leaves time(step + 1) masks.
  f64 masks(i64 step) const;
  /// Probability that a mask outlives a step.
  f64 stays(i64 step) const;

 private:
  i64 count_;
  f64 remask_;
};
constexpr f64 kLastTime = 1e-5;

/// What a step of the confident and random samplers fills of m places in `steps` steps: the
/// remainder goes to the first steps.
i64 filled_at(i64 places, i64 steps, i64 step);

/// What one thread keeps between rows of a pass.
struct UnmaskScratch {
  TokenWeights x;
  std::optional<Sampler> sampler;
  const void* owner = nullptr;  // whose sampler it is
};

class Unmasking {
 public:
  struct Text {
    std::vector<i32> tokens;  // masks where something is generated
    i64 begin = 0;            // [begin, end) is generated
    i64 end = 0;
    std::vector<i64> ends;  // ascending: where its blocks end, the last at `end`
    i32 mask = 0;
    bool causal = false;  // places of later blocks are not seen
  };
  /// rule.steps: at least one a block. params: without left_to_right_param; its texts' ends are
  /// end_ids, which min_tokens keeps away. number: of the sample, below 65536.
  Unmasking(const DiffusionRule& rule, const SampleParams& params, std::vector<i32> end_ids,
            Text text, DrawKey key, i64 number);

  /// Goes on to the next pass. False when the text is complete.
  bool next();
  const std::vector<i32>& tokens() const { return text_.tokens; }
  const Text& text() const { return text_; }
  i64 block_begin() const { return block_ == 0 ? text_.begin : text_.ends[usize(block_ - 1)]; }
  i64 block_end() const { return text_.ends[usize(block_)]; }
  /// Places whose logits the pass is asked for, ascending; may be none.
  std::span<const i64> wanted() const { return wanted_; }
  /// Logits of wanted()[i]; free: those without what is given, empty without guidance. May run for
  /// several i at once, each thread with its own scratch.
  void take(i64 i, std::span<const f32> logits, std::span<const f32> free, UnmaskScratch& scratch);
  /// All of wanted() is taken. With more than one candidate resample() comes before settle().
  i64 candidates() const { return candidates_; }
  /// Candidate j in the places of wanted(), and the logs of the probabilities that it was drawn
  /// with.
  std::span<const i32> candidate(i64 j) const { return row(proposed_, j); }
  std::span<const f64> log_proposal(i64 j) const { return row(log_proposal_, j); }
  /// Of the candidates; infinite: it cannot be. Ties of nothing but such go to the first.
  void resample(std::span<const f64> energies);
  /// Sums over calls of resample(): of effective sample sizes 1 / sum w^2, and calls.
  f64 effective() const { return effective_; }
  i64 resampled() const { return resampled_; }
  /// A place of the pass has none that could stand there: settle() will say so.
  bool faulty() const;
  /// All of wanted() is taken: fills places. Fault "logits" (not numbers) or "no_token" (all
  /// banned), then the text is over.
  std::optional<Fault> settle();

 private:
  bool ancestral() const {
    return rule_.sampler == DiffusionSampler::kAncestral ||
           rule_.sampler == DiffusionSampler::kCached;
  }
  template <typename T>
  std::span<const T> row(const std::vector<T>& all, i64 j) const {
    return std::span(all).subspan(usize(j) * wanted_.size(), wanted_.size());
  }
  DrawPoint point(i64 place, i64 step, DrawStream stream) const;
  bool weigh(i64 place, std::span<const f32> logits, std::span<const f32> free,
             TokenWeights& x) const;
  void begin_block();
  bool plan();
  bool plan_ancestral();
  void widen();
  void propose(i64 i, const TokenWeights& from);
  void plan_random(i64 count);
  void put_mask(i64 place, i64 step);
  void mask_again();
  void choose_confident();
  std::vector<i64> masked() const;

  DiffusionRule rule_;
  SampleParams params_;
  std::vector<i32> ends_;
  Text text_;
  DrawKey key_;
  i64 number_;
  i64 block_ = 0;
  i64 step_ = 0;    // of the block
  i64 steps_ = 0;   // that the block has
  i64 places_ = 0;  // that it began with
  // By place of [begin, end): the probability that a mask has lasted from when it was put there to
  // now, and the number below which it must stay for it to have.
  std::vector<f64> lasts_, bound_;
  std::vector<i64> wanted_;
  std::vector<i64> filled_;    // indices into wanted_
  std::vector<i64> again_;     // places that the step masks
  i64 candidates_ = 1;         // of this pass
  std::vector<i32> proposed_;  // [candidates_][wanted_]
  std::vector<f64> log_proposal_;
  std::vector<i32> drawn_;  // by index of wanted_
  std::vector<f64> confidence_;
  std::vector<std::optional<Fault>> faults_;
  f64 effective_ = 0;
  i64 resampled_ = 0;
};

/// The first parameter of params that asks for what was written before: a penalty. Empty: none.
std::string left_to_right_param(const SampleParams& params);

}  // namespace lm::decode
