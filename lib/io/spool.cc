#include "io/spool.h"

#include "io/frame.h"
#include "io/json.h"

namespace lm::io {

Spool::Spool(const Context& ctx) : ctx_(&ctx), file_(ctx.tmp_dir) {}

void Spool::append(std::span<const std::string_view> lines) {
  if (lines.empty()) return;
  std::string text;
  for (const std::string_view line : lines) {
    text.append(line);
    text.push_back('\n');
  }
  std::string frame;
  append_compressed_frame(frame, text, 1);
  blocks_.push_back({file_.size(), isize(frame), isize(text)});
  file_.append(frame.data(), isize(frame));
}

void Spool::read(const Block& block, Batch& batch) const {
  batch.frame.resize(usize(block.size));
  if (file_.read_at(batch.frame.data(), block.size, block.offset) != block.size) {
    throw Error(ErrorKind::kIo, "the spool file ended early");
  }
}

void Spool::decode(i64 content, Batch& batch) const {
  batch.text.clear();
  batch.text.reserve(usize(content + kJsonPadding));
  const std::string problem = decode_frame(batch.frame, batch.text, content);
  if (!problem.empty() || isize(batch.text) != content) {
    throw Error(ErrorKind::kIo, "the spool file cannot be read back: " + problem);
  }
  batch.text_size = content;
  batch.text.resize(usize(content + kJsonPadding));
  batch.frame.clear();
}

void Spool::replay(const std::vector<BatchStage>& stages, OutputStream* out) const {
  std::vector<PipelineStage> chain;
  chain.push_back({StageMode::kParallel, [this](PipelineItem& item) {
                     Batch& batch = static_cast<Batch&>(item);
                     decode(blocks_[usize(batch.first_line)].content, batch);
                   }});
  for (const BatchStage& stage : stages) {
    Stage& time = ctx_->stages->stage(stage.name);
    chain.push_back({stage.mode, [&stage, &time](PipelineItem& item) {
                       const StageTimer timer(time);
                       stage.run(static_cast<Batch&>(item));
                     }});
  }
  chain.push_back({StageMode::kParallel, [](PipelineItem& item) {
                     Batch& batch = static_cast<Batch&>(item);
                     std::string_view rest = batch.out;
                     while (!rest.empty()) {
                       const std::size_t lf = rest.find('\n');
                       batch.out_totals.add_line(rest.substr(0, lf));
                       rest.remove_prefix(lf + 1);
                     }
                   }});
  chain.push_back({StageMode::kSerial, [out](PipelineItem& item) {
                     const Batch& batch = static_cast<Batch&>(item);
                     if (out != nullptr) out->write(batch.out, batch.out_totals);
                   }});
  i64 next = 0;
  batch_pipeline(
      ctx_->threads,
      [this, &next]() -> std::unique_ptr<Batch> {
        if (next == isize(blocks_)) return nullptr;
        std::unique_ptr<Batch> batch = std::make_unique<Batch>();
        read(blocks_[usize(next)], *batch);
        batch->first_line = next++;  // the block's number, until decoded
        return batch;
      },
      chain);
}

}  // namespace lm::io
