#include "train/checkpointer.h"

#include <new>
#include <system_error>
#include <utility>

#include "core/str.h"

namespace lm::train {

i64 checkpoint_copy_bytes(const model::ModelParams& params) {
  return 3 * params.set.trained_elements() * static_cast<i64>(sizeof(f32));
}

Checkpointer::Checkpointer(const RunFolder& folder, const Trainer& trainer, bool background)
    : folder_(folder), trainer_(trainer), background_(background) {}

Checkpointer::~Checkpointer() {
  try {
    wait();
  } catch (const std::exception& e) {
    trainer_.log().message(LogLevel::kWarning, cat("the last checkpoint failed: ", e.what()));
  }
}

void Checkpointer::write(const CheckpointJob& job, const model::Model& model, const ParamSlab& m,
                         const ParamSlab& v) const {
  const i64 step = job.state.counters.step;
  save_checkpoint(folder_, model, m, v, job.state, job.files);
  folder_.point("latest", step);
  if (job.best) folder_.point("best", step);
  if (job.keep > 0) folder_.retire(job.keep - 1, job.keep_every, job.protect);
}

void Checkpointer::copy_state() {
  const model::Model& model = trainer_.model();
  if (!copy_) {
    std::unique_ptr<Copy> copy = std::make_unique<Copy>();
    copy->model.cfg = model.cfg;
    copy->model.params = std::make_unique<model::ModelParams>(model::make_params(model.cfg));
    copy->model.stored = model.stored;
    copy->model.generation_json = model.generation_json;
    copy->model.folder = model.folder;
    const ParamSet& set = copy->model.params->set;
    const i64 ranks = trainer_.comm().size();
    for (ParamSlab* slab : {&copy->model.weights, &copy->m, &copy->v})
      *slab =
          ParamSlab(slab == &copy->v ? trainer_.optimizer().v_set() : set, ranks, SlabOf::kTrained);
    copy_ = std::move(copy);
  }
  trainer_.fetch(copy_->model.weights, copy_->m, copy_->v);
}

bool Checkpointer::start(const CheckpointJob& job) {
  try {
    copy_state();
    done_.store(false);
    thread_ = std::jthread([this, job] {
      try {
        write(job, copy_->model, copy_->m, copy_->v);
      } catch (...) {
        failure_ = std::current_exception();
      }
      done_.store(true);
    });
    return true;
  } catch (const std::system_error&) {  // no thread to spare
    return false;
  } catch (const Error& e) {  // no memory to spare
    if (e.kind() != ErrorKind::kOs) throw;
    return false;
  }
}

void Checkpointer::save(const CheckpointJob& job, bool now) {
  wait();
  if (background_ && !now && start(job)) return;
  if (!trainer_.on_host()) {
    copy_state();
    return write(job, copy_->model, copy_->m, copy_->v);
  }
  const AdamW& optimizer = trainer_.optimizer();
  write(job, trainer_.model(), optimizer.m(), optimizer.v());
}

void Checkpointer::check() {
  if (done_.load()) wait();
}

void Checkpointer::wait() {
  if (thread_.joinable()) thread_.join();
  done_.store(false);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace lm::train
