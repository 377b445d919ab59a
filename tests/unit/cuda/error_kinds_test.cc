// The same mistake is the same kind of error on both backends.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catch.h"
#include "cpu/backend.h"
#include "cuda_backend.h"
#include "ops/ops.h"
#include "unit/cuda/device_cases.h"

using namespace lm;
using namespace lm::test;

namespace {

/// Which kind of error a graph ends with, when it is built or run; nothing if it runs.
using Build = std::function<Value(CaseGraph&)>;
std::optional<ErrorKind> kind_of(const Build& build, const Backend& backend) {
  CaseGraph c(3);
  try {
    const Value y = build(c);
    c.g.keep(y);
    DeviceRun(c, backend).bits(y);
  } catch (const ShapeError&) {
    throw;  // not made in this test
  } catch (const Error& e) {
    UNSCOPED_INFO(backend.name << ": " << e.message());
    return e.kind();
  }
  return std::nullopt;
}

struct Mistake {
  const char* what;
  ErrorKind kind;
  Build build;
};

Value attend(CaseGraph& c, std::vector<i32> span) {
  const AttentionAttr attr{1, 1, 4, 0.0f, 0.0f, true};
  span.insert(span.begin(), {0, 1, 0, 0, 0, 0});
  return attention(c.g, c.f({2, 12}), c.ints({2, 6}, std::move(span)), attr);
}

Value losses(CaseGraph& c, std::vector<i32> targets) {
  const i64 n = isize(targets);
  return linear_ce(c.g, c.f({n, 4}), c.param({6, 4}), c.ints({n}, std::move(targets)), {},
                   CeAttr{6, 0, 0, 0, false})
      .sum;
}

Value logprobs(CaseGraph& c, std::vector<i32> targets) {
  const i64 n = isize(targets);
  return linear_logprob(c.g, c.f({n, 4}), c.f({6, 4}), c.ints({n}, std::move(targets)),
                        LogprobAttr{6, 0})
      .logprob;
}

Value rotated(CaseGraph& c, i32 position) {
  const Value table = c.f({2, 5, 2});
  return rope(c.g, c.f({2, 8}), c.ints({2}, {0, position}), table, RopeAttr{2, 4, 4, false, false});
}

const Mistake kMistakes[] = {
    // Data.
    {"token", ErrorKind::kData,
     [](CaseGraph& c) {
       return embedding(c.g, c.ints({2}, {1, 5}), c.f({5, 4}));
     }},
    {"negative token", ErrorKind::kData,
     [](CaseGraph& c) {
       return embedding(c.g, c.ints({2}, {-1, 2}), c.f({5, 4}));
     }},
    {"learned position", ErrorKind::kData,
     [](CaseGraph& c) {
       return embedding(c.g, c.ints({2}, {1, 2}), c.f({5, 4}), c.ints({2}, {0, 3}), c.f({3, 4}));
     }},
    {"rotary position", ErrorKind::kData, [](CaseGraph& c) { return rotated(c, 5); }},
    {"negative rotary position", ErrorKind::kData, [](CaseGraph& c) { return rotated(c, -1); }},
    {"target of a loss", ErrorKind::kData,
     [](CaseGraph& c) {
       return losses(c, {2, 6});
     }},
    {"negative target of a loss", ErrorKind::kData,
     [](CaseGraph& c) {
       return losses(c, {-3, 5});
     }},
    {"target of a score", ErrorKind::kData,
     [](CaseGraph& c) {
       return logprobs(c, {1, 6});
     }},
    {"negative target of a score", ErrorKind::kData,
     [](CaseGraph& c) {
       return logprobs(c, {-1, 0});
     }},
    {"end of a span", ErrorKind::kData,
     [](CaseGraph& c) {
       return attend(c, {0, 3, 0, 0, 0, 0});
     }},
    {"begin of a span", ErrorKind::kData,
     [](CaseGraph& c) {
       return attend(c, {-1, 1, 0, 0, 0, 0});
     }},
    {"second span", ErrorKind::kData,
     [](CaseGraph& c) {
       return attend(c, {0, 1, 1, 9, 0, 1});
     }},
    {"logical index", ErrorKind::kData,
     [](CaseGraph& c) {
       return attend(c, {0, 1, 0, 0, -1, 0});
     }},
    {"second logical index", ErrorKind::kData,
     [](CaseGraph& c) {
       return attend(c, {0, 1, 1, 2, 0, -4});
     }},
    // Programs.
    {"no view for the cache", ErrorKind::kInternal,
     [](CaseGraph& c) {
       PagedAttr attr;
       attr.heads = attr.kv_heads = 1;
       attr.head_dim = 4;
       return paged_attention(c.g, c.f({2, 12}), attr);
     }},
};

/// Not mistakes: ids that name nothing are zeros on both.
const Build kAllowed[] = {
    [](CaseGraph& c) {
      return gather_rows(c.g, c.f({3, 4}), c.ints({3}, {0, 3, -1}));
    },
    [](CaseGraph& c) {
      return scatter_add_rows(c.g, c.f({3, 4}), c.ints({3}, {0, 3, -1}), 2);
    },
    [](CaseGraph& c) {
      return pick(c.g, c.f({3, 4}), c.ints({3}, {0, 4, kIgnoreTarget}));
    },
    [](CaseGraph& c) {
      return losses(c, {2, kIgnoreTarget});
    },
    [](CaseGraph& c) {
      return attend(c, {5, 5, 0, 0, 0, 0});
    },  // an empty one may lie anywhere
};

}  // namespace

TEST_CASE("the same mistake is the same kind of error on both backends", "[cuda]") {
  for (const Mistake& one : kMistakes) {
    CAPTURE(one.what);
    CHECK(kind_of(one.build, cpu_backend()) == one.kind);
    CHECK(kind_of(one.build, cuda::cuda_backend()) == one.kind);
  }
  for (std::size_t i = 0; i < std::size(kAllowed); ++i) {
    CAPTURE(i);
    CHECK(kind_of(kAllowed[i], cpu_backend()) == std::nullopt);
    CHECK(kind_of(kAllowed[i], cuda::cuda_backend()) == std::nullopt);
  }
}

TEST_CASE("a type without kernels is unavailable, not an internal error", "[cuda]") {
  Graph g(ops(), DType::kBf16);
  const Value x = g.input("x", {2, 4}, DType::kBf16);
  g.keep(unary(g, x, Unary::kSilu));
  OwnedTensor numbers({2, 4}, DType::kBf16);
  Executor exec(g, cpu_backend());
  exec.bind(x, numbers.view);
  try {
    exec.run({});
    FAIL("the CPU computes in f32");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kUnavailable);
  }
}
