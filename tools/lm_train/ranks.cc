#include "ranks.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>
#include <vector>

#include "core/str.h"

namespace lm::train_tool {

namespace {

const char* environment(const char* name) {
  return std::getenv(name);
}

std::unique_ptr<comm::Comm> join(const cli::Launch& launch) {
  if (!launch.wired)
    throw Error(ErrorKind::kUnavailable,
                cat(launch.by, " started ", launch.size, " tasks that cannot find each other"),
                "srun --mpi=pmix, or mpirun inside the allocation; --comm self trains alone");
  std::unique_ptr<comm::Comm> comm = comm::mpi_comm();
  if (comm->size() != launch.size || comm->rank() != launch.rank)
    throw Error(ErrorKind::kUnavailable,
                cat(launch.by, " started rank ", launch.rank, " of ", launch.size,
                    ", but for Open MPI it is rank ", comm->rank(), " of ", comm->size()),
                "start with mpirun of the same Open MPI, or srun --mpi=pmix");
  return comm;
}

int status_of_current_exception() {
  try {
    throw;
  } catch (const Error& e) {
    return static_cast<int>(e.kind());
  } catch (const std::bad_alloc&) {
    return static_cast<int>(ErrorKind::kOs);
  } catch (...) {
    return static_cast<int>(ErrorKind::kInternal);
  }
}

}  // namespace

Ranks::Ranks(cli::Tool& tool) : state_(std::make_shared<State>()) {
  if (tool.options().text("comm") == "auto") launch_ = cli::read_launch(environment);
  if (launch_.size == 1) {
    state_->comm = comm::self_comm();
    return;
  }
  state_->comm = join(launch_);
  tool.set_rank(comm().rank());
  tool.at_end([state = state_](int status) {
    if (state->in_order)
      state->comm->leave();
    else
      state->comm->abort(status);
  });
}

void Ranks::together(const std::function<void()>& f) {
  std::exception_ptr mine;
  std::vector<f64> statuses(usize(size()), 0);
  try {
    f();
  } catch (...) {
    mine = std::current_exception();
    statuses[usize(comm().rank())] = status_of_current_exception();
  }
  comm().all_reduce(statuses);
  const auto failed =
      std::find_if(statuses.begin(), statuses.end(), [](f64 status) { return status != 0; });
  if (failed == statuses.end()) return;
  state_->in_order = true;
  if (failed - statuses.begin() == comm().rank()) std::rethrow_exception(mine);
  throw cli::FailedElsewhere{static_cast<int>(*failed)};
}

std::string Ranks::from_first(const std::string& text) const {
  f64 length = first() ? static_cast<f64>(text.size()) : 0;
  comm().all_reduce({&length, 1});
  std::string out = text;
  out.resize(static_cast<std::size_t>(length));
  comm().broadcast({reinterpret_cast<u8*>(out.data()), out.size()}, 0);
  return out;
}

void Ranks::run(const std::function<void()>& body) {
  try {
    body();
  } catch (const comm::CommonError& e) {
    state_->in_order = true;
    if (first()) throw;
    throw cli::FailedElsewhere{static_cast<int>(e.kind())};
  }
  state_->in_order = true;
}

}  // namespace lm::train_tool
