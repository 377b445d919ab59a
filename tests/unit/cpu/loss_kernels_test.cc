#include "cpu/kernels.h"
#include "kernel_helpers.h"

using namespace lm;
using namespace lm::test;
using cpu::CrossEntropy;

namespace {

struct Batch {
  i64 rows = 9, vocab = 37, ld = 40;
  std::vector<f32> logits = random_values(rows * ld, 1, 8.0f), weight = random_values(rows, 2);
  std::vector<i32> target;
  Batch() {
    for (i64 r = 0; r < rows; ++r)
      target.push_back(static_cast<i32>((r * 11 + 5) % vocab));
    target[3] = kIgnoreTarget;
  }
};

f64 capped(f64 x, f64 cap) {
  return cap > 0 ? cap * std::tanh(x / cap) : x;
}

f64 row_loss(const std::vector<f64>& raw, i32 y, f64 weight, const CrossEntropy& a) {
  f64 z = 0, mean = 0;
  std::vector<f64> x;
  for (const f64 v : raw)
    x.push_back(capped(v, static_cast<f64>(a.softcap)));
  for (const f64 v : x) {
    z += std::exp(v);
    mean += v / static_cast<f64>(x.size());
  }
  const f64 lse = std::log(z), e = static_cast<f64>(a.label_smoothing);
  return weight * (lse - (1 - e) * x[usize(y)] - e * mean + static_cast<f64>(a.z_loss) * lse * lse);
}

std::vector<f64> row_of(const std::vector<f32>& logits, i64 r, const Batch& b) {
  return {logits.begin() + r * b.ld, logits.begin() + r * b.ld + b.vocab};
}

}  // namespace

TEST_CASE("cross-entropy and its gradient in place match f64 differences", "[cpu]") {
  for_each_isa([] {
    for (int form = 0; form < 5; ++form) {
      Batch b;
      CrossEntropy a;
      a.rows = b.rows;
      a.vocab = b.vocab;
      a.ld = b.ld;
      a.target = b.target.data();
      a.weight = form == 0 ? nullptr : b.weight.data();
      a.softcap = form == 2 || form == 4 ? 6.0f : 0.0f;
      a.z_loss = form >= 3 ? 0.05f : 0.0f;
      a.label_smoothing = form == 1 || form == 4 ? 0.1f : 0.0f;
      a.grad_scale = 0.25f;
      std::vector<f32> grad = b.logits, quiet = b.logits;
      Guarded loss(b.rows), lse(b.rows);
      a.logits = grad.data();
      a.loss = loss.data();
      a.lse = lse.data();
      const cpu::LossSum sum = cpu::cross_entropy(a);
      INFO("form " << form);
      CHECK((loss.intact() && lse.intact()));
      f64 total = 0, weights = 0;
      std::vector<f64> want;
      std::vector<f32> got;
      for (i64 r = 0; r < b.rows; ++r) {
        const f64 w = a.weight != nullptr ? static_cast<f64>(b.weight[usize(r)]) : 1.0;
        const i32 y = b.target[usize(r)];
        std::vector<f64> x = row_of(b.logits, r, b);
        for (i64 v = 0; v < b.vocab; ++v)
          got.push_back(grad[usize(r * b.ld + v)]);
        if (y == kIgnoreTarget) {
          CHECK(loss[r] == 0.0f);
          want.insert(want.end(), usize(b.vocab), 0.0);
          continue;
        }
        const f64 value = row_loss(x, y, w, a);
        CHECK(static_cast<f64>(loss[r]) == Approx(value).epsilon(1e-5).margin(1e-5));
        total += static_cast<f64>(loss[r]);
        weights += w;
        for (i64 v = 0; v < b.vocab; ++v) {
          const f64 at = x[usize(v)];
          x[usize(v)] = at + 1e-5;
          const f64 up = row_loss(x, y, w, a);
          x[usize(v)] = at - 1e-5;
          want.push_back(0.25 * (up - row_loss(x, y, w, a)) / 2e-5);
          x[usize(v)] = at;
        }
      }
      CHECK(nmse(got, want) < 1e-10);
      CHECK(sum.loss == total);
      CHECK(sum.weight == Approx(weights));
      CHECK(sum.count == b.rows - 1);
      for (i64 r = 0; r < b.rows; ++r) {  // padding columns are not touched
        for (i64 v = b.vocab; v < b.ld; ++v) {
          REQUIRE(grad[usize(r * b.ld + v)] == b.logits[usize(r * b.ld + v)]);
        }
      }
      // Without a gradient the logits stay and the losses have the same bits.
      std::vector<f32> quiet_loss(usize(b.rows));
      a.logits = quiet.data();
      a.want_grad = false;
      a.loss = quiet_loss.data();
      cpu::cross_entropy(a);
      CHECK(same_bits(quiet, b.logits));
      CHECK(same_bits(quiet_loss, loss.values()));
    }
  });
}

TEST_CASE("a target outside the vocabulary is refused", "[cpu]") {
  Batch b;
  CrossEntropy a;
  a.rows = b.rows;
  a.vocab = b.vocab;
  a.ld = b.ld;
  a.logits = b.logits.data();
  a.target = b.target.data();
  b.target[2] = 37;
  CHECK_THROWS_AS(cpu::cross_entropy(a), Error);
  b.target[2] = -1;
  CHECK_THROWS_AS(cpu::cross_entropy(a), Error);
}

TEST_CASE("losses have equal bits with 1, 2 and 7 threads", "[cpu]") {
  const i64 rows = 40, vocab = 3001;
  const std::vector<f32> logits = random_values(rows * vocab, 1, 6.0f);
  const std::vector<i32> target(usize(rows), 77);
  check_threads([&] {
    std::vector<f32> grad = logits;
    CrossEntropy a;
    a.rows = rows;
    a.vocab = a.ld = vocab;
    a.logits = grad.data();
    a.target = target.data();
    const cpu::LossSum sum = cpu::cross_entropy(a);
    grad.push_back(static_cast<f32>(sum.loss));
    return grad;
  });
}

TEST_CASE("log_sum_exp is that of f64 to the last bits, NaN where there is no answer", "[cpu]") {
  const f32 inf = std::numeric_limits<f32>::infinity();
  for_each_isa([&] {
    for (const i64 n : {1, 2, 3, 7, 8, 15, 16, 31, 33, 64, 515, 4099}) {
      for (const f32 scale : {0.1f, 6.0f, 90.0f, 2000.0f}) {
        CAPTURE(n, scale);
        std::vector<f32> x = random_values(n, static_cast<u64>(n), scale);
        x[usize(n / 2)] = x[usize(n - 1)];  // ties
        if (n > 3) x[2] = -inf;
        i64 want = 0;
        for (i64 i = 0; i < n; ++i)
          want = x[usize(i)] > x[usize(want)] ? i : want;
        f64 sum = 0;
        for (const f32 v : x)
          sum += std::exp(static_cast<f64>(v) - static_cast<f64>(x[usize(want)]));
        i64 best = -1;
        const f64 got = cpu::log_sum_exp(n, x.data(), &best);
        CHECK(best == want);
        CHECK(std::abs(std::exp(got - static_cast<f64>(x[usize(want)])) - sum) <= 1e-12 * sum);
        for (const f32 bad : {inf, std::nanf("")}) {
          for (const i64 at : {i64{0}, n / 2, n - 1}) {
            std::vector<f32> y = x;
            y[usize(at)] = bad;
            CHECK(std::isnan(cpu::log_sum_exp(n, y.data(), &best)));
            CHECK((best >= 0 && best < n));
          }
        }
        CHECK(std::isnan(cpu::log_sum_exp(n, std::vector<f32>(usize(n), -inf).data())));
      }
    }
  });
}

TEST_CASE("row statistics give log-probability, entropy, rank and argmax", "[cpu]") {
  for_each_isa([] {
    for (const f32 cap : {0.0f, 5.0f}) {
      Batch b;
      b.logits[usize(2 * b.ld + 7)] = b.logits[usize(2 * b.ld + 30)] = 9.0f;  // a tie at the top
      b.target[2] = 30;
      b.logits[usize(4 * b.ld + 1)] = -INFINITY;
      Guarded logprob(b.rows), entropy(b.rows), lse(b.rows);
      std::vector<i32> rank(usize(b.rows)), argmax(usize(b.rows));
      cpu::RowStats s;
      s.rows = b.rows;
      s.vocab = b.vocab;
      s.logits = b.logits.data();
      s.ld = b.ld;
      s.target = b.target.data();
      s.softcap = cap;
      s.logprob = logprob.data();
      s.entropy = entropy.data();
      s.rank = rank.data();
      s.argmax = argmax.data();
      s.lse = lse.data();
      cpu::row_stats(s);
      for (i64 r = 0; r < b.rows; ++r) {
        std::vector<f64> x = row_of(b.logits, r, b);
        for (f64& v : x)
          v = capped(v, static_cast<f64>(cap));
        f64 z = 0, h = 0;
        for (const f64 v : x)
          z += std::exp(v);
        for (const f64 v : x) {
          const f64 p = std::exp(v) / z;
          if (p > 0) h -= p * std::log(p);
        }
        CHECK(static_cast<f64>(entropy[r]) == Approx(h).epsilon(1e-5).margin(1e-6));
        CHECK(static_cast<f64>(lse[r]) == Approx(std::log(z)).epsilon(1e-6));
        const i32 y = b.target[usize(r)];
        if (y == kIgnoreTarget) {
          CHECK((logprob[r] == 0.0f && rank[usize(r)] == -1));
          continue;
        }
        CHECK(static_cast<f64>(logprob[r]) ==
              Approx(x[usize(y)] - std::log(z)).epsilon(1e-5).margin(1e-5));
      }
      CHECK(argmax[2] == 7);
      CHECK(rank[2] == 1);
    }
  });
  cpu::RowStats s;
  f32 out = 0;
  s.logprob = &out;
  CHECK_THROWS_AS(cpu::row_stats(s), Error);
}

TEST_CASE("the log-probability's gradient is coef times onehot minus p", "[cpu]") {
  for_each_isa([] {
    for (const f32 cap : {0.0f, 5.0f}) {
      Batch b;
      std::vector<f32> lse(usize(b.rows)), grad = b.logits;
      cpu::RowStats s;
      s.rows = b.rows;
      s.vocab = b.vocab;
      s.logits = b.logits.data();
      s.ld = b.ld;
      s.softcap = cap;
      s.lse = lse.data();
      cpu::row_stats(s);
      cpu::logprob_backward(b.rows, b.vocab, grad.data(), b.ld, b.target.data(), lse.data(),
                            b.weight.data(), cap);
      std::vector<f64> want;
      std::vector<f32> got;
      CrossEntropy form;
      form.softcap = cap;
      for (i64 r = 0; r < b.rows; ++r) {
        const i32 y = b.target[usize(r)];
        std::vector<f64> x = row_of(b.logits, r, b);
        for (i64 v = 0; v < b.vocab; ++v) {
          got.push_back(grad[usize(r * b.ld + v)]);
          if (y == kIgnoreTarget) {
            want.push_back(0);
            continue;
          }
          const f64 at = x[usize(v)], w = static_cast<f64>(b.weight[usize(r)]);
          x[usize(v)] = at + 1e-5;
          const f64 up = row_loss(x, y, -w, form);
          x[usize(v)] = at - 1e-5;
          want.push_back((up - row_loss(x, y, -w, form)) / 2e-5);
          x[usize(v)] = at;
        }
      }
      CHECK(nmse(got, want) < 1e-10);
    }
  });
}

TEST_CASE("divergence to a teacher and its gradient match f64", "[cpu]") {
  for_each_isa([] {
    const i64 rows = 4, vocab = 29;
    const f32 temperature = 2.0f;
    const std::vector<f32> student = random_values(rows * vocab, 1, 5.0f),
                           teacher = random_values(rows * vocab, 2, 5.0f),
                           weight = random_values(rows, 3);
    const auto kl = [&](const std::vector<f64>& s, i64 r) {
      f64 zs = 0, zt = 0, sum = 0;
      for (i64 v = 0; v < vocab; ++v) {
        zs += std::exp(s[usize(v)] / 2);
        zt += std::exp(static_cast<f64>(teacher[usize(r * vocab + v)]) / 2);
      }
      for (i64 v = 0; v < vocab; ++v) {
        const f64 lt = static_cast<f64>(teacher[usize(r * vocab + v)]) / 2 - std::log(zt);
        sum += std::exp(lt) * (lt - (s[usize(v)] / 2 - std::log(zs)));
      }
      return sum;
    };
    std::vector<f32> grad = student, per_row(usize(rows));
    const f64 total = cpu::kl_to_teacher(rows, vocab, grad.data(), vocab, teacher.data(), vocab,
                                         temperature, weight.data(), true, 0.5f, per_row.data());
    f64 sum = 0;
    std::vector<f64> want;
    for (i64 r = 0; r < rows; ++r) {
      std::vector<f64> s(student.begin() + r * vocab, student.begin() + (r + 1) * vocab);
      CHECK(static_cast<f64>(per_row[usize(r)]) == Approx(kl(s, r)).epsilon(1e-5));
      const f64 w = static_cast<f64>(weight[usize(r)]);
      sum += w * kl(s, r);
      for (i64 v = 0; v < vocab; ++v) {
        const f64 at = s[usize(v)];
        s[usize(v)] = at + 1e-5;
        const f64 up = kl(s, r);
        s[usize(v)] = at - 1e-5;
        want.push_back(0.5 * w * (up - kl(s, r)) / 2e-5);
        s[usize(v)] = at;
      }
    }
    CHECK(total == Approx(sum).epsilon(1e-5).margin(1e-6));
    CHECK(nmse(grad, want) < 1e-10);
  });
}
