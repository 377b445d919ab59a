#pragma once
// Mixtures of experts: attributes and builders. Rows are routed to experts, sorted by expert,
// multiplied each with its own expert's matrix, and summed again by their weights. Nothing is
// dropped unless a capacity says so. All sums are in the order of the slots, so that a row's bits
// do not depend on the other rows. f32, on the CPU alone. Sources: Shazeer et al. 2017; Lepikhin et
// al. 2020 (random second expert, capacity); Fedus et al. 2021; Riquelme et al. 2021 (priority by
// weight); Roller et al. 2021 (hash); Gale et al. 2022 (dropless); Wang et al. 2024 (bias).

#include "graph/graph.h"

namespace lm {

/// What turns a row's logits into its experts' gates.
enum class GateKind : u8 { kSoftmax, kSigmoid };

/// in: logits [N, experts]?, bias [experts]?, spans i32 [N, 6]?, draws [N]?, tokens i32 [N]?; out:
/// weights [N, active], index i32 [N, active], probabilities [N, experts], lse [N].
struct RouteAttr {
  i32 experts = 0, active = 0;
  GateKind gate = GateKind::kSoftmax;
  bool renormalise = false;
};
/// in: index i32 [N, K], weights [N, K]; out: rows i32 [N K], place i32 [N, K], offsets i32
/// [experts + 1], load [experts], share [experts]. capacity 0: nothing is dropped.
struct DispatchAttr {
  i32 experts = 0;
  f32 capacity = 0;
  bool by_weight = false;
};
/// in: x [M, I], w [groups O, I], offsets i32 [groups + 1]
struct GroupedAttr {
  i32 groups = 0;
};
/// Uniform in (0, 1) or in (-1, 1), or standard normal.
enum class DrawKind : u8 { kUniform, kSymmetric, kNormal };
/// in: none
struct DrawsAttr {
  Shape shape{};
  DrawKind kind = DrawKind::kUniform;
};

/// Where rows go. Gates are softmax or sigmoid of a row's logits; the `active` experts of largest
/// gate plus bias are taken, equal ones in order, best first. A slot's weight is its gate,
/// renormalise: over the sum of the row's. The bias has no gradient.
struct RouteInputs {
  Value logits;
  Value bias;    // [experts], or absent
  Value spans;   // rows without keys are padding: they go nowhere; absent: there are none
  Value draws;   // [N]: the second of two experts stays where this is below twice its weight
  Value tokens;  // i32 [N], in the place of logits: expert hash(token) mod experts, with weight 1
};
struct Routing {
  Value weights;        // [N, active], 0 of slots that go nowhere
  Value index;          // i32 [N, active]: the expert, or negative
  Value probabilities;  // [N, experts]: gates over their sum; 0 of padding
  Value lse;            // [N] of the logits; 0 of padding
};
Routing route(Graph& g, const RouteInputs& x, const RouteAttr& attr);

/// Sorts the pairs of row and slot by expert, those of an expert in order. Where the run is
/// training and capacity is set, an expert keeps the first ceil(capacity pairs / experts) of its
/// pairs, or with by_weight those of largest weight. No gradient.
struct Dispatch {
  Value rows;     // i32 [N K]: the row that stands at each place, -1 behind the last pair
  Value place;    // i32 [N, K]: of each pair, -1: nowhere
  Value offsets;  // i32 [experts + 1]: where each expert's places begin
  Value load;     // [experts]: pairs that asked for each expert
  Value share;    // [experts]: of all pairs that asked for one
};
Dispatch dispatch(Graph& g, const Routing& routing, const DispatchAttr& attr);

/// Rows [offsets[e], offsets[e + 1]) of x times the transposed rows [e O, (e + 1) O) of w; rows
/// behind give zeros.
Value grouped_linear(Graph& g, Value x, Value w, Value offsets, i64 groups);

/// y_i = sum over k of weights_ik x[place_ik], plus residual_i where given; [N, C].
Value combine(Graph& g, Value x, Value weights, Value place, Value residual = {});

/// Random numbers where the run is training, else zeros: a function of (seed, step, micro-step,
/// node, element).
Value draws(Graph& g, const Shape& shape, DrawKind kind);

}  // namespace lm
