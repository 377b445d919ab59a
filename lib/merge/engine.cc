#include "merge/engine.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

#include "core/parallel.h"
#include "core/stages.h"
#include "io/run.h"
#include "merge/tiles.h"

namespace lm::merge {

namespace {

// Blocks that one item of a statistics pass has: enough work beside counters of 256 KiB a model.
constexpr i64 kStatisticBlocks = 32;
// One-pass tensors that share a pipeline, so that small ones keep all threads busy. Threads idle
// for 10 to 20 ms where one pipeline ends and the next begins: with 64 MiB that was a fifth of the
// time.
constexpr i64 kGroupBytes = i64{512} << 20;

i64 in_flight(const Context& ctx) {
  return ctx.threads + 2;
}

/// Statistics of a range of blocks.
struct ObserveItem final : PipelineItem {
  i64 first = 0;  // block
  i64 last = 0;
  std::vector<f64> sums;  // by block
  std::vector<f64> maxima;
  std::vector<u32> counts;
};

/// Readers of this many threads, kept between passes.
template <class A>
using Readers = io::WorkerPool<ChunkReader<A>>;

template <class A>
void run_pass(Kernel<A>& kernel, const PassNeeds& needs, const Layout& layout,
              const typename ChunkReader<A>::Inputs& inputs, bool allow_nonfinite,
              Readers<A>& readers, const Context& ctx) {
  Stage& stage = ctx.stages->stage("statistics");
  std::vector<f64> sums(usize(needs.sums), 0.0);
  std::vector<f64> maxima(usize(needs.maxima), 0.0);
  std::vector<i64> counts(usize(needs.counts), 0);
  // Sums by block cost memory where rows have many: fewer blocks an item then.
  const i64 blocks_each =
      std::clamp<i64>((i64{1} << 17) / std::max<i64>(1, needs.sums), 1, kStatisticBlocks);
  const i64 item_memory =
      (blocks_each * needs.sums + needs.maxima) * 8 + needs.counts * i64{sizeof(u32)};
  const MemoryCharge charge(*ctx.memory, in_flight(ctx) * item_memory, "statistics of a tensor");
  const auto read_ahead = [&](const ObserveItem& item, bool ahead) {
    const i64 begin = layout.begin_of(item.first);
    const i64 count = layout.end_of(item.last - 1) - begin;
    for (const TensorSource* const x : inputs.x)
      ahead ? x->prefetch(begin, count) : x->release(begin, count);
    if (inputs.base != nullptr)
      ahead ? inputs.base->prefetch(begin, count) : inputs.base->release(begin, count);
  };
  i64 next = 0;
  const auto source = [&]() -> std::unique_ptr<PipelineItem> {
    if (next >= layout.blocks()) return nullptr;
    std::unique_ptr<ObserveItem> item = std::make_unique<ObserveItem>();
    item->first = next;
    item->last = next = std::min(layout.blocks(), next + blocks_each);
    return item;
  };
  const auto work = [&](PipelineItem& base) {
    const StageTimer timer(stage);
    ObserveItem& item = static_cast<ObserveItem&>(base);
    item.sums.assign(usize((item.last - item.first) * needs.sums), 0.0);
    item.maxima.assign(usize(needs.maxima), 0.0);
    item.counts.assign(usize(needs.counts), 0);
    read_ahead(item, true);
    readers.with([&](ChunkReader<A>& reader) {
      for (i64 block = item.first; block < item.last; ++block) {
        const Partial partial{std::span(item.sums).subspan(usize((block - item.first) * needs.sums),
                                                           usize(needs.sums)),
                              item.maxima, item.counts};
        reader.each_chunk(inputs, layout, block, allow_nonfinite,
                          [&](const Chunk<A>& chunk) { kernel.observe(chunk, partial); });
      }
    });
    read_ahead(item, false);
  };
  const auto fold = [&](PipelineItem& base) {
    ObserveItem& item = static_cast<ObserveItem&>(base);
    for (std::size_t i = 0; i < item.sums.size(); ++i)
      sums[i % usize(needs.sums)] += item.sums[i];
    for (std::size_t i = 0; i < maxima.size(); ++i)
      maxima[i] = std::max(maxima[i], item.maxima[i]);
    for (std::size_t i = 0; i < counts.size(); ++i)
      counts[i] += item.counts[i];
  };
  ordered_pipeline(in_flight(ctx), source,
                   {{StageMode::kParallel, work}, {StageMode::kSerial, fold}});
  kernel.end_pass({sums, maxima, counts});
}

/// A tensor that is ready for its last pass. kernel_f32 or kernel_f64; neither for a copy.
struct Ready {
  PlannedTensor* tensor = nullptr;
  KernelPtr<f32> kernel_f32;
  KernelPtr<f64> kernel_f64;
  Layout layout{Shape{}, Cut::kElements};
  std::vector<Hash128> digests;  // of inputs, then base, of the blocks so far
  bool digested = false;         // in a pass of their own

  // Takes digests by block and input.
  void fold(std::span<const Hash128> blocks) {
    const std::size_t count = tensor->inputs.size() + (tensor->base.source ? 1 : 0);
    digests.resize(count);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const u64 pair[4] = {digests[i % count].lo, digests[i % count].hi, blocks[i].lo,
                           blocks[i].hi};
      digests[i % count] = xxh3_128({reinterpret_cast<const char*>(pair), sizeof pair});
    }
  }
  std::vector<const InputTensor*> inputs() const {
    std::vector<const InputTensor*> out;
    for (const InputTensor& input : tensor->inputs)
      out.push_back(&input);
    if (tensor->base.source) out.push_back(&tensor->base);
    return out;
  }
  template <class A>
  typename ChunkReader<A>::Inputs sources() const {
    typename ChunkReader<A>::Inputs out;
    for (const InputTensor& input : tensor->inputs)
      out.x.push_back(input.source.get());
    out.base = tensor->base.source.get();
    if (tensor->job.method != nullptr && tensor->job.method->aux == AuxUse::kSameShape)
      out.aux = tensor->job.aux_sources;
    return out;
  }
};

/// A tile of output.
struct TileItem final : PipelineItem {
  Ready* ready = nullptr;
  i64 first = 0;  // block
  i64 last = 0;
  std::string buffer;            // of at least as many bytes, kept from tile to tile
  std::vector<Hash128> digests;  // by block and input
  u8* bytes() { return reinterpret_cast<u8*>(buffer.data()); }
  i64 begin() const { return ready->layout.begin_of(first); }
  i64 count() const { return ready->layout.end_of(last - 1) - begin(); }
};

class Engine {
 public:
  Engine(Sink& sink, const EngineOptions& options, const Context& ctx, std::atomic<i64>* done)
      : sink_(sink),
        options_(options),
        ctx_(ctx),
        done_(done),
        readers_f32_([] { return std::make_unique<ChunkReader<f32>>(); }),
        readers_f64_([] { return std::make_unique<ChunkReader<f64>>(); }) {}

  void add(PlannedTensor& tensor);
  void write_group();
  EngineReport& report() { return report_; }

 private:
  template <class A>
  KernelPtr<A> prepare(Ready& ready, Readers<A>& readers);
  i64 blocks_per_tile(const Ready& ready) const;
  void fill(TileItem& item);
  void fill_copy(TileItem& item);
  template <class A>
  void fill_merged(TileItem& item, const Kernel<A>& kernel, Readers<A>& readers);
  static void digest(TileItem& item);
  void digest_apart(Ready& ready);
  void take(TileItem& item);
  void account(Ready& ready);
  std::string take_buffer(i64 bytes);
  void give_buffer(std::string buffer);
  template <class Work, class Take>
  void run_tiles(std::span<Ready> group, const Work& work, const Take& take);
  [[noreturn]] void beyond_range(const PlannedTensor& tensor, i64 first) const;

  Sink& sink_;
  const EngineOptions& options_;
  const Context& ctx_;
  std::atomic<i64>* done_;
  Readers<f32> readers_f32_;
  Readers<f64> readers_f64_;
  std::vector<Ready> group_;
  i64 group_bytes_ = 0;
  EngineReport report_;
  std::mutex buffers_mutex_;
  std::vector<std::string> buffers_;  // of tiles that are written
};

bool copies(const PlannedTensor& tensor) {
  return tensor.must_be_equal || tensor.job.copy.has_value();
}

// fp64 if an input asks for it.
bool takes_f64(const PlannedTensor& tensor) {
  const auto wants = [](const SourcePtr& source) { return source && wants_f64(source->dtype()); };
  return wants(tensor.base.source) ||
         std::any_of(tensor.inputs.begin(), tensor.inputs.end(),
                     [&](const InputTensor& input) { return wants(input.source); }) ||
         std::any_of(tensor.aux.begin(), tensor.aux.end(), wants);
}

template <class A>
KernelPtr<A> Engine::prepare(Ready& ready, Readers<A>& readers) {
  const Job& job = ready.tensor->job;
  KernelPtr<A> kernel = make_kernel<A>(job);
  ready.layout = Layout(job.shape, kernel->cut());
  const typename ChunkReader<A>::Inputs inputs = ready.sources<A>();
  while (const std::optional<PassNeeds> needs = kernel->next_pass())
    run_pass(*kernel, *needs, ready.layout, inputs, options_.allow_nonfinite, readers, ctx_);
  if (const std::string note = kernel->note(); !note.empty()) ++report_.notes[note];
  if (kernel->cut() == Cut::kRows) digest_apart(ready);
  return kernel;
}

void Engine::add(PlannedTensor& tensor) {
  const i64 bytes = tensor.job.shape.count() * item_bytes(tensor.dtype);
  const bool needs_memory = tensor.job.method != nullptr && tensor.job.method->aux == AuxUse::kGram;
  if (group_bytes_ + bytes > kGroupBytes || needs_memory) write_group();
  group_.emplace_back();
  Ready& ready = group_.back();
  ready.tensor = &tensor;
  group_bytes_ += bytes;
  if (tensor.job.shape.count() == 0) return;
  if (copies(tensor)) {
    ready.layout = Layout(tensor.job.shape, Cut::kElements);
  } else if (takes_f64(tensor)) {
    ready.kernel_f64 = prepare<f64>(ready, readers_f64_);
  } else {
    ready.kernel_f32 = prepare<f32>(ready, readers_f32_);
  }
}

i64 Engine::blocks_per_tile(const Ready& ready) const {
  const i64 block = ready.layout.block * item_bytes(ready.tensor->dtype);
  return std::max<i64>(1, options_.tile_bytes / std::max<i64>(1, block));
}

template <class Work, class Take>
void Engine::run_tiles(std::span<Ready> group, const Work& work, const Take& take) {
  std::size_t tensor = 0;
  i64 next = 0;  // block of that tensor
  const auto source = [&]() -> std::unique_ptr<PipelineItem> {
    while (tensor < group.size() && next >= group[tensor].layout.blocks()) {
      ++tensor;
      next = 0;
    }
    if (tensor == group.size()) return nullptr;
    std::unique_ptr<TileItem> item = std::make_unique<TileItem>();
    item->ready = &group[tensor];
    item->first = next;
    item->last = next =
        std::min(item->ready->layout.blocks(), next + blocks_per_tile(*item->ready));
    return item;
  };
  ordered_pipeline(
      in_flight(ctx_), source,
      {{StageMode::kParallel, [&](PipelineItem& item) { work(static_cast<TileItem&>(item)); }},
       {StageMode::kSerial, [&](PipelineItem& item) { take(static_cast<TileItem&>(item)); }}});
}

void Engine::beyond_range(const PlannedTensor& tensor, i64 first) const {
  throw Error(ErrorKind::kData,
              cat("tensor ", quote(tensor.job.name, 200), ": a merged element from ", first,
                  " on is beyond the range of ", dtype_name(tensor.dtype)),
              "--out-dtype names a type with a larger range");
}

void Engine::fill_copy(TileItem& item) {
  const PlannedTensor& tensor = *item.ready->tensor;
  const TensorSource& source = *tensor.inputs[0].source;
  u8* const to = item.bytes();
  if (tensor.must_be_equal) {
    source.load_bytes(item.begin(), item.count(), to);
    const std::string_view own(item.buffer.data(), usize(item.count() * item_bytes(tensor.dtype)));
    std::string other(own.size(), '\0');
    for (std::size_t i = 1; i < tensor.inputs.size(); ++i) {
      tensor.inputs[i].source->load_bytes(item.begin(), item.count(),
                                          reinterpret_cast<u8*>(other.data()));
      if (other != own) {
        throw Error(ErrorKind::kData,
                    cat(tensor.inputs[i].source->describe(), " differs from ", source.describe(),
                        ": tensors of type ", dtype_name(source.dtype()),
                        " cannot be merged and must be equal"));
      }
    }
    return;
  }
  if (source.dtype() == tensor.dtype) {
    source.load_bytes(item.begin(), item.count(), to);
    if (options_.allow_nonfinite || stored_finite(tensor.dtype, to, item.count())) return;
  }
  // Conversion, or the message for what is not finite.
  readers_f64_.with([&](ChunkReader<f64>& reader) {
    const ChunkReader<f64>::Inputs inputs{{&source}, nullptr, {}};
    for (i64 block = item.first; block < item.last; ++block) {
      reader.each_chunk(
          inputs, item.ready->layout, block, options_.allow_nonfinite,
          [&](const Chunk<f64>& chunk) {
            u8* const at = to + (chunk.first - item.begin()) * item_bytes(tensor.dtype);
            if (!narrow(tensor.dtype, chunk.x[0], chunk.count, at) && !options_.allow_nonfinite)
              beyond_range(tensor, chunk.first);
          });
    }
  });
}

// Where the models' elements lie from `first` on, if all are bf16, together in memory, and all that
// there is; else nothing.
template <class A>
std::vector<const u8*> stored_bf16(const typename ChunkReader<A>::Inputs& inputs, i64 first) {
  std::vector<const u8*> out;
  if (inputs.base != nullptr || !inputs.aux.empty()) return out;
  for (const TensorSource* const x : inputs.x) {
    const u8* const at = x->dtype() == DType::kBf16 ? x->stored(first) : nullptr;
    if (at == nullptr) return {};
    out.push_back(at);
  }
  return out;
}

template <class A>
void Engine::fill_merged(TileItem& item, const Kernel<A>& kernel, Readers<A>& readers) {
  const PlannedTensor& tensor = *item.ready->tensor;
  u8* const to = item.bytes();
  readers.with([&](ChunkReader<A>& reader) {
    const typename ChunkReader<A>::Inputs inputs = item.ready->sources<A>();
    for (i64 block = item.first; block < item.last; ++block) {
      const i64 first = item.ready->layout.begin_of(block);
      const i64 count = item.ready->layout.end_of(block) - first;
      const std::vector<const u8*> stored =
          tensor.dtype == DType::kBf16 ? stored_bf16<A>(inputs, first) : std::vector<const u8*>();
      if (!stored.empty() && kernel.combine_bf16(stored, count, to + (first - item.begin()) * 2))
        continue;
      reader.each_chunk(
          inputs, item.ready->layout, block, options_.allow_nonfinite, [&](const Chunk<A>& chunk) {
            std::vector<A>& out = reader.out(chunk.count);
            kernel.combine(chunk, out.data());
            u8* const at = to + (chunk.first - item.begin()) * item_bytes(tensor.dtype);
            if (!narrow(tensor.dtype, out.data(), chunk.count, at) && !options_.allow_nonfinite)
              beyond_range(tensor, chunk.first);
          });
    }
  });
}

void Engine::digest(TileItem& item) {
  const std::vector<const InputTensor*> inputs = item.ready->inputs();
  item.digests.reserve(usize(item.last - item.first) * inputs.size());
  for (i64 block = item.first; block < item.last; ++block) {
    const i64 begin = item.ready->layout.begin_of(block);
    const i64 count = item.ready->layout.end_of(block) - begin;
    for (const InputTensor* const input : inputs)
      item.digests.push_back(input->source->digest(begin, count));
  }
}

void Engine::fill(TileItem& item) {
  const StageTimer timer(ctx_.stages->stage("merge"));
  const Ready& ready = *item.ready;
  item.buffer = take_buffer(item.count() * item_bytes(ready.tensor->dtype));
  const std::vector<const InputTensor*> inputs = ready.inputs();
  for (const InputTensor* const input : inputs)
    input->source->prefetch(item.begin(), item.count());
  if (ready.kernel_f32) {
    fill_merged<f32>(item, *ready.kernel_f32, readers_f32_);
  } else if (ready.kernel_f64) {
    fill_merged<f64>(item, *ready.kernel_f64, readers_f64_);
  } else {
    fill_copy(item);
  }
  // While the tile's input is in the cache.
  if (!ready.digested) digest(item);
  for (const InputTensor* const input : inputs)
    input->source->release(item.begin(), item.count());
}

// Digests are of blocks of kBlockElements, whatever the kernel's blocks: where those are rows, in a
// pass of their own.
void Engine::digest_apart(Ready& ready) {
  Ready elements;
  elements.tensor = ready.tensor;
  elements.layout = Layout(ready.tensor->job.shape, Cut::kElements);
  run_tiles(
      std::span(&elements, 1), [](TileItem& item) { digest(item); },
      [](TileItem& item) { item.ready->fold(item.digests); });
  ready.digests = std::move(elements.digests);
  ready.digested = true;
}

// Fresh memory for each tile would cost a page fault and a cleared page for each 4 KiB.
std::string Engine::take_buffer(i64 bytes) {
  std::string buffer;
  {
    const std::lock_guard<std::mutex> lock(buffers_mutex_);
    if (!buffers_.empty()) {
      buffer = std::move(buffers_.back());
      buffers_.pop_back();
    }
  }
  if (isize(buffer) < bytes) buffer.resize(usize(bytes));
  return buffer;
}

void Engine::give_buffer(std::string buffer) {
  const std::lock_guard<std::mutex> lock(buffers_mutex_);
  buffers_.push_back(std::move(buffer));
}

void Engine::take(TileItem& item) {
  const StageTimer timer(ctx_.stages->stage("write"));
  Ready& ready = *item.ready;
  const i64 bytes = item.count() * item_bytes(ready.tensor->dtype);
  sink_.write(ready.tensor->job.name, std::string_view(item.buffer).substr(0, usize(bytes)));
  give_buffer(std::move(item.buffer));
  report_.bytes_out += bytes;
  if (done_ != nullptr) done_->fetch_add(bytes);
  ready.fold(item.digests);
  if (item.last == ready.layout.blocks()) account(ready);
}

void Engine::account(Ready& ready) {
  std::size_t number = 0;
  ready.digests.resize(ready.inputs().size());
  for (const InputTensor* const input : ready.inputs()) {
    const TensorSource& source = *input->source;
    const Hash128& data = ready.digests[number++];
    report_.bytes_in += source.shape().count() * item_bytes(source.dtype());
    report_.read[input->model].add(
        xxh3_128(cat(source.name(), " ", dtype_name(source.dtype()), to_string(source.shape()), " ",
                     hex64(data.hi), hex64(data.lo))));
  }
}

void Engine::write_group() {
  std::vector<Ready> group = std::move(group_);
  group_.clear();
  group_bytes_ = 0;
  run_tiles(
      std::span(group), [this](TileItem& item) { fill(item); },
      [this](TileItem& item) { take(item); });
  for (Ready& ready : group) {
    if (ready.layout.count == 0) account(ready);
  }
}

}  // namespace

void ReadDigest::add(const Hash128& tensor) {
  lo += tensor.lo;
  hi += tensor.hi;
  ++tensors;
}

EngineReport run(std::vector<PlannedTensor>& tensors, Sink& sink, const EngineOptions& options,
                 const Context& ctx, std::atomic<i64>* done) {
  for (const PlannedTensor& tensor : tensors)
    sink.declare(tensor.job.name, tensor.dtype, tensor.job.shape);
  sink.begin();
  Engine engine(sink, options, ctx, done);
  for (const i64 number : sink.order())
    engine.add(tensors[usize(number)]);
  engine.write_group();
  sink.commit();
  return std::move(engine.report());
}

template <class A>
void observe(Kernel<A>& kernel, const Shape& shape, std::span<const TensorSource* const> inputs,
             const Context& ctx) {
  const Layout layout(shape, kernel.cut());
  Readers<A> readers([] { return std::make_unique<ChunkReader<A>>(); });
  const typename ChunkReader<A>::Inputs sources{{inputs.begin(), inputs.end()}, nullptr, {}};
  while (const std::optional<PassNeeds> needs = kernel.next_pass())
    run_pass(kernel, *needs, layout, sources, true, readers, ctx);
}

template void observe(Kernel<f32>&, const Shape&, std::span<const TensorSource* const>,
                      const Context&);
template void observe(Kernel<f64>&, const Shape&, std::span<const TensorSource* const>,
                      const Context&);

}  // namespace lm::merge
