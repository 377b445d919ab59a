// permute-bits and invperm: permutations to learn, and permutations to undo.

#include <cmath>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "synth/fields.h"
#include "synth/task.h"

namespace lm::synth {

namespace {

using Numbers = std::vector<i64>;

struct Bits final : Drawn {
  Numbers order;  // invperm: the permutation, 0-based
  std::vector<Numbers> rows;
};

Numbers draw_bits(i64 count, Draws& draws) {
  Numbers out(usize(count));
  for (i64& bit : out)
    bit = draws.below(2);
  return out;
}

std::string matrix_json(const std::vector<Numbers>& rows) {
  std::string out = "[";
  for (const Numbers& row : rows) {
    append(out, out.size() > 1 ? "," : "", "[");
    for (std::size_t i = 0; i < row.size(); ++i)
      append(out, i > 0 ? "," : "", row[i]);
    out += ']';
  }
  return out + "]";
}

/// One permutation of a seed; inputs of k bits. Training sees the rows with a single one.
class PermuteBits final : public Task {
 public:
  PermuteBits(const Params& params, const TaskSetup& setup)
      : k_(params.whole("k")),
        ones_(params.whole("ones")),
        one_hot_(params.is("inputs", "one-hot")),
        split_(setup.split),
        form_(setup.form) {
    if (ones_ > k_) throw Error(ErrorKind::kUsage, cat("--set: ones is ", ones_, ", above k ", k_));
    order_ = Draws(setup.seed, "permute-bits order", 0).permutation(k_);
  }

  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("permute-bits");
    auto out = std::make_unique<Bits>();
    Numbers& input = out->rows.emplace_back(usize(k_), 0);
    const bool single = one_hot_ && split_ == Split::kTrain;
    if (single) {
      input[usize(draws.below(k_))] = 1;
    } else if (ones_ > 0) {
      for (const i64 at : draws.distinct(ones_, k_))
        input[usize(at)] = 1;
    } else {
      input = draw_bits(k_, draws);
    }
    i64 ones = 0;
    for (const i64 bit : input)
      ones += bit;
    // All zeros have no direction and are never taken; training has what has a single one.
    out->canonical = key_of(input);
    if (ones == 0)
      out->split = split_ == Split::kTest ? Split::kTrain : Split::kTest;
    else if (one_hot_)
      out->split = ones == 1                          ? Split::kTrain
                   : xxh3_64(out->canonical) % 2 == 0 ? Split::kValid
                                                      : Split::kTest;
    return out;
  }

  void write(const Drawn& drawn, const Place&, std::string& fields) const override {
    const Numbers& input = static_cast<const Bits&>(drawn).rows[0];
    Numbers target(input.size());
    for (std::size_t i = 0; i < input.size(); ++i)
      target[usize(order_[i])] = input[i];
    if (form_ != "vectors") {
      // Digits are their own names.
      if (form_ == "ids") return add_question(fields, true, input, target, 2);
      add_text(fields, "prompt", digits(input));
      add_text(fields, "completion", " " + digits(target));
      return;
    }
    add_list(fields, "input", input);
    add_list(fields, "target", target);
  }

  f64 space() const override {
    if (one_hot_ && split_ == Split::kTrain) return static_cast<f64>(k_);
    if (ones_ == 0) return std::pow(2.0, static_cast<f64>(k_)) - 1;
    f64 ways = 1;
    for (i64 i = 0; i < ones_; ++i)
      ways = ways * static_cast<f64>(k_ - i) / static_cast<f64>(i + 1);
    return std::round(ways);
  }
  i64 id_count() const override { return form_ == "ids" ? 2 : 0; }

  static std::string digits(const Numbers& bits) {
    std::string out;
    for (const i64 bit : bits)
      append(out, out.empty() ? "" : " ", bit);
    return out;
  }

 private:
  i64 k_, ones_;
  bool one_hot_;
  Split split_;
  std::string form_;
  Numbers order_;  // bit i goes to place order_[i]
};

/// P and P Y in the prompt, Y to be said: P's row i is the unit vector of order[i], so that row i
/// of P Y is row order[i] of Y.
class InvPerm final : public Task {
 public:
  InvPerm(const Params& params, const TaskSetup& setup)
      : d_(params.whole("d")), pause_(params.whole("pause")), form_(setup.form) {
    if (form_ == "pauses" && pause_ != 0 && pause_ < d_)
      throw Error(ErrorKind::kUsage,
                  cat("--set: pause is ", pause_, ", expected 0 or at least d, which is ", d_));
  }

  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("invperm");
    auto out = std::make_unique<Bits>();
    out->order = draws.permutation(d_);
    const i64 rows = form_ == "matrix" ? d_ : 1;
    for (i64 i = 0; i < rows; ++i)
      out->rows.push_back(draw_bits(d_, draws));
    out->canonical = key_of(out->order);
    for (const Numbers& row : out->rows)
      append(out->canonical, ";", key_of(row));
    return out;
  }

  void write(const Drawn& drawn, const Place&, std::string& fields) const override {
    const Bits& it = static_cast<const Bits&>(drawn);
    if (form_ == "matrix") {
      std::vector<Numbers> input;
      for (const i64 at : it.order)
        input.emplace_back(usize(d_), 0)[usize(at)] = 1;
      for (const i64 at : it.order)
        input.push_back(it.rows[usize(at)]);
      add_json(fields, "input", matrix_json(input));
      add_json(fields, "target", matrix_json(it.rows));
      return;
    }
    const Numbers& y = it.rows[0];
    Numbers permuted;
    for (const i64 at : it.order)
      permuted.push_back(y[usize(at)]);
    if (form_ == "text") {
      std::string prompt;
      for (const i64 at : it.order)
        append(prompt, at + 1, " ");
      append(prompt, "[SEP] ", PermuteBits::digits(permuted), " [SEP]");
      for (i64 i = 0; i < pause_; ++i)
        prompt += " [PAUSE]";
      add_text(fields, "prompt", prompt);
      add_text(fields, "completion", " " + PermuteBits::digits(y));
      return;
    }
    // Ids: 0 .. d-1 the places, then 0, 1, [SEP], [PAUSE].
    Numbers ids = it.order;
    ids.push_back(d_ + 2);
    for (const i64 bit : permuted)
      ids.push_back(d_ + bit);
    ids.push_back(d_ + 2);
    ids.insert(ids.end(), usize(pause_), d_ + 3);
    Numbers answer;
    for (const i64 bit : y)
      answer.push_back(d_ + bit);
    if (form_ == "ids") {
      add_list(fields, "prompt_ids", ids);
      add_list(fields, "completion_ids", answer);
      return;
    }
    // Read at the last d pauses, or without them where the permuted bits stand.
    const std::size_t from = pause_ > 0 ? ids.size() - usize(d_) : usize(d_) + 1;
    Numbers labels(ids.size(), -100);
    for (std::size_t i = 0; i < answer.size(); ++i)
      labels[from + i] = answer[i];
    add_list(fields, "input_ids", ids);
    add_list(fields, "labels", labels);
  }

  f64 space() const override {
    const f64 rows = form_ == "matrix" ? static_cast<f64>(d_) : 1.0;
    return std::round(std::tgamma(static_cast<f64>(d_) + 1)) *
           std::pow(2.0, rows * static_cast<f64>(d_));
  }
  i64 id_count() const override { return form_ == "ids" || form_ == "pauses" ? d_ + 4 : 0; }

 private:
  i64 d_, pause_;
  std::string form_;
};

}  // namespace

void add_bit_tasks(std::vector<TaskInfo>& out) {
  out.push_back(
      {.name = "permute-bits",
       .summary = "bits, and the same in another order that the seed has drawn",
       .forms = {"vectors", "text", "ids"},
       .params = {{"k", Param::Kind::kWhole, "20", "bits", 1, 4096},
                  {"ones", Param::Kind::kWhole, "2",
                   "bits that are one; 0: each with probability 1/2", 0, 4096},
                  {"inputs",
                   Param::Kind::kChoice,
                   "one-hot",
                   "train has the inputs of a single one and nothing else; any: splits by hash",
                   0,
                   0,
                   {"one-hot", "any"}}},
       .make = [](const Params& params, const TaskSetup& setup) -> std::unique_ptr<Task> {
         return std::make_unique<PermuteBits>(params, setup);
       }});
  out.push_back(
      {.name = "invperm",
       .summary = "a permutation and permuted bits, to be undone",
       .forms = {"matrix", "pauses", "text", "ids"},
       .params = {{"d", Param::Kind::kWhole, "6", "places", 1, 64},
                  {"pause", Param::Kind::kWhole, "0",
                   "empty tokens behind the prompt, 0 or at least d for pauses", 0, 4096}},
       .make = [](const Params& params, const TaskSetup& setup) -> std::unique_ptr<Task> {
         return std::make_unique<InvPerm>(params, setup);
       }});
}

}  // namespace lm::synth
