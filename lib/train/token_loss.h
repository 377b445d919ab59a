#pragma once
// Losses of a next token beside plain cross entropy. Rows without a target contribute nothing; the
// sum over the others is divided by their number.
//
// Earth mover's distance (Ren et al. 2024): what it costs to move the model's distribution q to the
// target y, C_iy = 1 - cos(e_i, e_y), so T = sum_i q_i C_iy. Mode 1 is (CE + [CE/E] T) / 2, mode 2
// T + [E/CE] CE, with [.] without gradient, at most `cap`, and E = T, or T + q_y where the target's
// own mass does not count as moved (detach_target); the value is of E, the gradient of T.
// MixCE (Zhang et al. 2023): (eta + (1 - eta) [q_y]) CE.
// Total variation (TaiLr, Ji et al. 2023): (gamma + (1 - gamma) [max(q_y / (1 - gamma + gamma q_y),
// 0.2)]) CE.

#include <memory>
#include <string>
#include <vector>

#include "ops/ops.h"

namespace lm::train {

enum class TokenLossKind : u8 { kCe, kEmo, kMixce, kTvd };

/// "ce", "emo", "mixce", "tvd", in order.
std::vector<std::string> token_loss_names();
TokenLossKind parse_token_loss(std::string_view name);

/// Embeddings that give the ground cost, rows of length one (or zero) [rows, cols].
struct CostTable {
  i64 rows = 0, cols = 0;
  std::vector<f32> unit;
  /// Divides every row by its length.
  CostTable(i64 n, i64 width, std::vector<f32> table);
};

struct TokenLossOptions {
  TokenLossKind kind = TokenLossKind::kCe;
  int emo_mode = 1;
  f64 emo_cap = 0;  // 0: none
  bool detach_target = true;
  f64 mix = 0.5;                          // eta, gamma
  std::shared_ptr<const CostTable> cost;  // null: of the head as it is, without gradient
};

/// Cross entropy and T of each row, [N], from all logits of x [N, C]: w [V, C], unit [V, H],
/// targets i32 [N]. Both are meaningless for rows without a target.
struct TransportRows {
  Value ce;
  Value transport;
  Value target_mass;  // q_y
};
TransportRows transport_rows(Graph& graph, Value x, Value w, i64 vocab, Value unit, Value targets);
/// x + by.
Value shifted(Graph& graph, Value x, f64 by);
/// Rows of a matrix divided by their lengths; zero rows stay.
Value unit_rows(Graph& graph, Value x);

/// The loss of each row from the above, [N].
Value emo_rows(Graph& graph, const TransportRows& rows, const TokenLossOptions& options);
/// Rows' weights of cross entropies ce [N], without gradient: of MixCE and total variation.
Value mixed_weights(Graph& graph, Value ce, const TokenLossOptions& options);

/// Sums over the rows of all three: the loss, CE, T.
struct EmoSums {
  Value loss, ce, transport;
};
/// In chunks of rows whose logits and cosines backward makes again, so that no [N, V] matrix is
/// ever whole. counted [N]: 1 for rows with a target. Two products of the head's size forward, four
/// (and the recomputed two) backward.
EmoSums emo_sums(Graph& graph, Value x, Value w, i64 vocab, Value unit, Value targets,
                 Value counted, const TokenLossOptions& options);

}  // namespace lm::train
