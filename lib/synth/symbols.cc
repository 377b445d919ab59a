// In-context tasks over symbols that mean nothing: lookup, permutation, setdisjoint, mqar.

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "synth/fields.h"
#include "synth/task.h"

namespace lm::synth {

namespace {

using Ids = std::vector<i64>;

struct Row final : Drawn {
  Ids prompt;
  Ids completion;
  std::vector<u8> loss;  // mqar, by token of prompt
};

[[noreturn]] void refuse(std::string what) {
  throw Error(ErrorKind::kUsage, cat("--set: ", what));
}

/// Keys and values in turn, then one of the keys.
class Lookup final : public Task {
 public:
  Lookup(const Params& params, const TaskSetup& setup)
      : k_(params.whole("k")), vocab_(params.whole("vocab")), ids_(setup.form == "ids") {
    if (k_ > vocab_) refuse(cat("k is ", k_, ", above vocab ", vocab_));
  }
  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("lookup");
    auto out = std::make_unique<Row>();
    const Ids keys = draws.distinct(k_, vocab_);
    for (const i64 key : keys) {
      out->prompt.push_back(key);
      out->prompt.push_back(draws.below(vocab_));
    }
    const i64 asked = draws.below(k_);
    out->completion = {out->prompt[usize(2 * asked + 1)]};
    out->prompt.push_back(keys[usize(asked)]);
    out->canonical = key_of(out->prompt);
    return out;
  }
  void write(const Drawn& drawn, const Place&, std::string& fields) const override {
    const Row& row = static_cast<const Row&>(drawn);
    add_question(fields, ids_, row.prompt, row.completion, vocab_);
  }
  f64 space() const override {
    f64 out = static_cast<f64>(k_);
    for (i64 i = 0; i < k_; ++i)
      out *= static_cast<f64>(vocab_ - i) * static_cast<f64>(vocab_);
    return out;
  }
  i64 id_count() const override { return ids_ ? vocab_ : 0; }

 private:
  i64 k_, vocab_;
  bool ids_;
};

/// Examples of one hidden order of m places, then a query.
class HiddenOrder final : public Task {
 public:
  HiddenOrder(const Params& params, const TaskSetup& setup)
      : m_(params.whole("m")),
        k_(params.whole("k")),
        vocab_(params.whole("vocab")),
        ids_(setup.form == "ids") {
    if (m_ > vocab_) refuse(cat("m is ", m_, ", above vocab ", vocab_));
    constexpr i64 kMostTokens = 1000000;
    if ((2 * m_ + 2) * (k_ + 1) > kMostTokens)
      refuse(cat("m ", m_, " and k ", k_, " make records of ", (2 * m_ + 2) * (k_ + 1),
                 " tokens, expected at most ", kMostTokens));
  }
  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("permutation");
    auto out = std::make_unique<Row>();
    const Ids order = draws.permutation(m_);
    for (i64 example = 0; example <= k_; ++example) {
      const Ids from = draws.distinct(m_, vocab_);
      Ids to;
      for (const i64 at : order)
        to.push_back(from[usize(at)]);
      out->prompt.insert(out->prompt.end(), from.begin(), from.end());
      out->prompt.push_back(vocab_);
      if (example == k_) {
        out->completion = to;
        break;
      }
      out->prompt.insert(out->prompt.end(), to.begin(), to.end());
      out->prompt.push_back(vocab_ + 1);
    }
    out->canonical = key_of(out->prompt);
    return out;
  }
  void write(const Drawn& drawn, const Place&, std::string& fields) const override {
    constexpr std::array<std::string_view, 2> kNames = {"->", ";"};
    const Row& row = static_cast<const Row&>(drawn);
    add_question(fields, ids_, row.prompt, row.completion, vocab_, kNames);
  }
  f64 space() const override {
    f64 one = 1;
    for (i64 i = 0; i < m_; ++i)
      one *= static_cast<f64>(vocab_ - i);
    return std::tgamma(static_cast<f64>(m_) + 1) * std::pow(one, static_cast<f64>(k_ + 1));
  }
  i64 id_count() const override { return ids_ ? vocab_ + 2 : 0; }

 private:
  i64 m_, k_, vocab_;
  bool ids_;
};

/// Two sets with one element in common.
class SetDisjoint final : public Task {
 public:
  SetDisjoint(const Params& params, const TaskSetup& setup)
      : sizes_(params.sizes("sizes")), vocab_(params.whole("vocab")), ids_(setup.form == "ids") {
    for (const SizePair& size : sizes_)
      if (size.first + size.second - 1 > vocab_)
        refuse(cat("sizes ", size.first, ":", size.second, " need ", size.first + size.second - 1,
                   " symbols, vocab is ", vocab_));
  }
  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("setdisjoint");
    auto out = std::make_unique<Row>();
    const i64 first = sizes_[usize(place.record % isize(sizes_))].first;
    const i64 second = sizes_[usize(place.record % isize(sizes_))].second;
    Ids all = draws.distinct(first + second - 1, vocab_);
    Ids a(all.begin(), all.begin() + first);
    Ids b(all.begin() + first - 1, all.end());  // shares the last one of a
    out->completion = {b[0]};
    draws.shuffle(std::span<i64>(a));
    draws.shuffle(std::span<i64>(b));
    out->prompt.push_back(vocab_);
    out->prompt.insert(out->prompt.end(), a.begin(), a.end());
    out->prompt.push_back(vocab_ + 1);
    out->prompt.insert(out->prompt.end(), b.begin(), b.end());
    out->prompt.push_back(vocab_ + 2);
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    out->canonical = cat(key_of(a), "|", key_of(b));
    return out;
  }
  void write(const Drawn& drawn, const Place& place, std::string& fields) const override {
    constexpr std::array<std::string_view, 3> kNames = {"[PREFIX]", "[SEP]", "[ANS]"};
    const Row& row = static_cast<const Row&>(drawn);
    add_question(fields, ids_, row.prompt, row.completion, vocab_, kNames);
    const SizePair size = sizes_[usize(place.record % isize(sizes_))];
    const std::array<i64, 2> both = {size.first, size.second};
    add_list(fields, "sizes", both);
    add_json(fields, "prefix_len", cat(row.prompt.size()));
  }
  i64 id_count() const override { return ids_ ? vocab_ + 3 : 0; }

 private:
  std::vector<SizePair> sizes_;
  i64 vocab_;
  bool ids_;
};

/// Keys with values, then some of the keys again among blanks, each followed by its value. Gaps
/// follow a power law. Source: Arora et al. 2023 (Zoology), multi-query associative recall.
class Recall final : public Task {
 public:
  Recall(const Params& params, const TaskSetup& setup)
      : pairs_(params.whole("pairs")),
        length_(params.whole("length")),
        vocab_(params.whole("vocab")),
        ids_(setup.form == "ids") {
    if (length_ < 4 * pairs_)
      refuse(cat("length is ", length_, ", expected at least 4 for each of ", pairs_, " pairs"));
    if (vocab_ / 2 < pairs_)
      refuse(cat("vocab is ", vocab_, ", whose half has no ", pairs_, " keys"));
    const f64 power = params.real("power");
    for (i64 i = 1; i <= (length_ - 2 * pairs_) / 2; ++i)
      weight_.push_back(std::pow(static_cast<f64>(i), power - 1));
  }
  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws("mqar");
    auto out = std::make_unique<Row>();
    const Ids keys = draws.distinct(pairs_, vocab_ / 2);
    Ids& row = out->prompt;
    for (const i64 key : keys) {
      row.push_back(key);
      row.push_back(vocab_ / 2 + draws.below(vocab_ - vocab_ / 2));
    }
    // Slots without replacement, by weight: the largest of ln(u) / w.
    std::vector<std::pair<f64, i64>> slots;
    for (i64 i = 0; i < isize(weight_); ++i)
      slots.emplace_back(std::log(draws.uniform()) / weight_[usize(i)], i);
    std::partial_sort(slots.begin(), slots.begin() + pairs_, slots.end(),
                      [](const auto& a, const auto& b) { return a.first > b.first; });
    row.resize(usize(length_), vocab_);
    out->loss.assign(usize(length_), 0);
    for (i64 i = 0; i < pairs_; ++i) {
      const std::size_t at = usize(2 * pairs_ + 2 * slots[usize(i)].second);
      row[at] = keys[usize(i)];
      row[at + 1] = row[usize(2 * i + 1)];
      out->loss[at + 1] = 1;
    }
    out->canonical = key_of(row);
    return out;
  }
  void write(const Drawn& drawn, const Place&, std::string& fields) const override {
    constexpr std::array<std::string_view, 1> kNames = {"_"};
    const Row& row = static_cast<const Row&>(drawn);
    if (!ids_) return add_text(fields, "text", words(row.prompt, vocab_, kNames));
    add_list(fields, "input_ids", row.prompt);
    add_list(fields, "loss_mask", Ids(row.loss.begin(), row.loss.end()));
  }
  i64 id_count() const override { return ids_ ? vocab_ + 1 : 0; }

 private:
  i64 pairs_, length_, vocab_;
  bool ids_;
  std::vector<f64> weight_;
};

template <typename T>
std::unique_ptr<Task> make(const Params& params, const TaskSetup& setup) {
  return std::make_unique<T>(params, setup);
}

Param vocab_param(std::string def) {
  return {"vocab", Param::Kind::kWhole, std::move(def), "symbols", 1, 1e6};
}

}  // namespace

void add_symbol_tasks(std::vector<TaskInfo>& out) {
  const std::vector<std::string> forms = {"text", "ids"};
  out.push_back({.name = "lookup",
                 .summary = "pairs of symbols, and the second of one",
                 .forms = forms,
                 .params = {{"k", Param::Kind::kWhole, "8", "pairs", 1, 10000}, vocab_param("64")},
                 .make = make<Lookup>});
  out.push_back({.name = "permutation",
                 .summary = "examples of a hidden order, and one more to be put into it",
                 .forms = forms,
                 .params = {{"m", Param::Kind::kWhole, "3", "places", 1, 100},
                            {"k", Param::Kind::kWhole, "4", "examples", 0, 10000},
                            vocab_param("64")},
                 .make = make<HiddenOrder>});
  out.push_back({.name = "setdisjoint",
                 .summary = "two sets, and their one common element",
                 .forms = forms,
                 .params = {{"sizes", Param::Kind::kSizes, "2:16,16:2,4:32,32:4",
                             "of the sets, record by record in turn", 1, 100000},
                            vocab_param("64")},
                 .make = make<SetDisjoint>});
  out.push_back({.name = "mqar",
                 .summary = "keys with values, and the keys again",
                 .forms = {"ids", "text"},
                 .params = {{"pairs", Param::Kind::kWhole, "8", "keys", 1, 100000},
                            {"length", Param::Kind::kWhole, "64", "tokens of a row", 4, 1e6},
                            {"power", Param::Kind::kReal, "0.01",
                             "of the law of gaps: 1 is uniform, less is nearer", 0.001, 10},
                            vocab_param("128")},
                 .make = make<Recall>});
}

}  // namespace lm::synth
