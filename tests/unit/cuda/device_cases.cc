#include "unit/cuda/device_cases.h"

#include <cstring>

#include "catch.h"
#include "cpu/backend.h"

namespace lm::test {

namespace {

constexpr u64 kSeed = 2026;

struct Differentiated {
  CaseGraph c{kSeed};
  std::vector<Value> results;  // loss, then the gradient of every differentiable input
};

std::unique_ptr<Differentiated> differentiate(const OpCase& one) {
  std::unique_ptr<Differentiated> d = std::make_unique<Differentiated>();
  const std::vector<Value> outputs = one.build(d->c);
  if (!one.differentiable) {
    d->results = outputs;
  } else {
    const Value loss = random_loss(d->c, outputs);
    d->c.g.backward(loss);
    d->results.push_back(loss);
    for (const std::unique_ptr<CaseGraph::Bound>& b : d->c.bound) {
      const Value grad = d->c.g.grad(b->v);
      if (b->differentiable && grad) d->results.push_back(grad);
    }
  }
  for (const Value v : d->results) {
    if (d->c.g.info(v).kind == ValueKind::kActivation) d->c.g.keep(v);
  }
  return d;
}

std::vector<OpCase> selected(std::string_view filter, const Words& without) {
  std::vector<OpCase> cases;
  for (OpCase& one : op_cases()) {
    bool wanted = !one.host_only && one.name.find(filter) != std::string::npos;
    for (const std::string_view word : without)
      wanted = wanted && one.name.find(word) == std::string::npos;
    if (wanted) cases.push_back(std::move(one));
  }
  REQUIRE_FALSE(cases.empty());
  return cases;
}

}  // namespace

Tensor DeviceRun::give(const Shape& shape, DType dtype, const void* data) {
  const i64 bytes = shape.count() * item_bytes(dtype);
  storages_.push_back(backend_.allocate(bytes));
  Tensor t = make_tensor(storages_.back().data(), shape, dtype, backend_.device);
  if (data == nullptr) {
    backend_.zero(t.data, bytes);
  } else {
    backend_.to_device(t.data, data, bytes);
  }
  return t;
}

DeviceRun::DeviceRun(CaseGraph& c, const Backend& backend, ExecOptions options, const RunCtx& ctx)
    : backend_(backend), exec_(std::make_unique<Executor>(c.g, backend, options)) {
  for (const std::unique_ptr<CaseGraph::Bound>& b : c.bound) {
    const Tensor& host = b->tensor.view;
    exec_->bind(b->v, give(host.shape, host.dtype, host.data));
  }
  for (std::size_t i = 0; i < c.g.values().size(); ++i) {
    const ValueInfo& info = c.g.values()[i];
    if (info.kind != ValueKind::kGradient) continue;
    exec_->bind(Value{static_cast<i32>(i)}, give(info.shape, DType::kF32, nullptr));
  }
  exec_->run(ctx);
}

std::vector<u32> DeviceRun::bits(Value v) const {
  const Tensor t = exec_->tensor(v);
  std::vector<u32> out(usize(t.count()));
  for (i64 r = 0; r < t.rows(); ++r) {
    backend_.to_host(out.data() + r * t.cols(), t.bytes() + r * t.ld * 4, t.cols() * 4);
  }
  return out;
}

std::vector<f32> DeviceRun::floats(Value v) const {
  const std::vector<u32> words = bits(v);
  std::vector<f32> out(words.size());
  if (!words.empty()) std::memcpy(out.data(), words.data(), words.size() * 4);
  return out;
}

void check_outputs(const Backend& backend, std::string_view filter, const Words& without) {
  for (const OpCase& one : selected(filter, without)) {
    INFO(one.name);
    CaseGraph c(kSeed);
    const std::vector<Value> outputs = one.build(c);
    for (const Value v : outputs)
      c.g.keep(v);
    ExecOptions options;
    options.mode = ExecMode::kHeap;  // poisoned buffers between guard zones
    const DeviceRun run(c, backend, options);
    RefRun ref(c.g);
    c.set(ref);
    ref.run(isize(c.g.nodes()));
    for (std::size_t j = 0; j < outputs.size(); ++j) {
      INFO("output " << j);
      const Numbers& expected = ref.at(outputs[j]);
      if (c.g.info(outputs[j]).dtype == DType::kI32) {
        const std::vector<u32> got = run.bits(outputs[j]);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          REQUIRE(static_cast<f64>(static_cast<i32>(got[i])) == expected[i]);
        }
      } else {
        REQUIRE(nmse(run.floats(outputs[j]), expected) <= one.nmse);
      }
    }
  }
}

void check_gradients(const Backend& backend, std::string_view filter, const Words& without) {
  for (const OpCase& one : selected(filter, without)) {
    if (!one.differentiable) continue;
    INFO(one.name);
    const std::unique_ptr<Differentiated> d = differentiate(one);
    ExecOptions options;
    options.mode = ExecMode::kHeap;
    const DeviceRun on_device(d->c, backend, options);
    const DeviceRun on_cpu(d->c, cpu_backend(), options);
    for (const Value v : d->results) {
      INFO("value " << d->c.g.info(v).name);
      const std::vector<f32> expected = on_cpu.floats(v);
      // Two f32 results, each within about 1e-10 of the truth; the loss sum may cancel.
      CHECK(nmse(on_device.floats(v), Numbers(expected.begin(), expected.end())) <= 1e-8);
    }
  }
}

void check_repetition(const Backend& backend, std::string_view filter, const Words& without) {
  for (const OpCase& one : selected(filter, without)) {
    INFO(one.name);
    const std::unique_ptr<Differentiated> d = differentiate(one);
    const DeviceRun first(d->c, backend);
    const DeviceRun second(d->c, backend);
    ExecOptions apart;
    apart.in_place = false;
    const DeviceRun third(d->c, backend, apart);
    for (const Value v : d->results) {
      const std::vector<u32> bits = first.bits(v);
      CHECK(second.bits(v) == bits);
      CHECK(third.bits(v) == bits);
    }
  }
}

}  // namespace lm::test
