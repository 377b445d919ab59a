// Comm over Open MPI. libmpi.so.40 (Open MPI 3 to 5) is opened when a launcher has started several
// ranks, so a program starts as fast, and a bundle runs as well, where there is none.

#include "comm/comm.h"

#ifdef LM_HAVE_MPI

#include <algorithm>
#include <string>
#include <vector>

#include <dlfcn.h>
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include "core/parallel.h"
#include "core/str.h"

namespace lm::comm {
namespace {

constexpr const char* kLibrary = "libmpi.so.40";
constexpr i64 kPieceBytes = i64{4} << 20;  // of a slab, over all ranks; MPI counts are ints
constexpr i64 kBroadcastBytes = i64{1} << 30;
constexpr i64 kSumGrain = i64{1} << 14;

struct Library {
  decltype(&MPI_Init_thread) init_thread;
  decltype(&MPI_Finalize) finalize;
  decltype(&MPI_Abort) abort;
  decltype(&MPI_Comm_rank) comm_rank;
  decltype(&MPI_Comm_size) comm_size;
  decltype(&MPI_Comm_set_errhandler) set_errhandler;
  decltype(&MPI_Error_string) error_string;
  decltype(&MPI_Alltoall) alltoall;
  decltype(&MPI_Allgather) allgather;
  decltype(&MPI_Gather) gather;
  decltype(&MPI_Scatter) scatter;
  decltype(&MPI_Bcast) bcast;
  decltype(&MPI_Barrier) barrier;
  MPI_Comm world;
  MPI_Datatype byte;
  MPI_Errhandler errors_return;
};

template <class T>
void find(void* handle, const char* name, T& out) {
  void* symbol = ::dlsym(handle, name);
  if (symbol == nullptr)
    throw Error(ErrorKind::kUnavailable, cat(kLibrary, ": has no ", name, ", expected Open MPI"));
  out = reinterpret_cast<T>(symbol);
}

Library open_library() {
  // Its components look for the library's symbols among the global ones.
  void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    throw Error(ErrorKind::kUnavailable,
                cat("cannot open Open MPI: ", why != nullptr ? why : kLibrary),
                "install Open MPI on every node, or start one process");
  }
  Library mpi{};
  find(handle, "MPI_Init_thread", mpi.init_thread);
  find(handle, "MPI_Finalize", mpi.finalize);
  find(handle, "MPI_Abort", mpi.abort);
  find(handle, "MPI_Comm_rank", mpi.comm_rank);
  find(handle, "MPI_Comm_size", mpi.comm_size);
  find(handle, "MPI_Comm_set_errhandler", mpi.set_errhandler);
  find(handle, "MPI_Error_string", mpi.error_string);
  find(handle, "MPI_Alltoall", mpi.alltoall);
  find(handle, "MPI_Allgather", mpi.allgather);
  find(handle, "MPI_Gather", mpi.gather);
  find(handle, "MPI_Scatter", mpi.scatter);
  find(handle, "MPI_Bcast", mpi.bcast);
  find(handle, "MPI_Barrier", mpi.barrier);
  // Handles are the addresses of these objects.
  find(handle, "ompi_mpi_comm_world", mpi.world);
  find(handle, "ompi_mpi_byte", mpi.byte);
  find(handle, "ompi_mpi_errors_return", mpi.errors_return);
  return mpi;
}

class MpiComm final : public Comm {
 public:
  MpiComm() : mpi_(open_library()) {
    int granted = 0;
    check(mpi_.init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &granted), "MPI_Init_thread");
    check(mpi_.set_errhandler(mpi_.world, mpi_.errors_return), "MPI_Comm_set_errhandler");
    if (granted < MPI_THREAD_SERIALIZED)
      throw Error(ErrorKind::kUnavailable, "this MPI takes calls from one thread only");
    check(mpi_.comm_rank(mpi_.world, &rank_), "MPI_Comm_rank");
    check(mpi_.comm_size(mpi_.world, &size_), "MPI_Comm_size");
  }

  i64 rank() const override { return rank_; }
  i64 size() const override { return size_; }

  void all_reduce(std::span<f64> values) override {
    const i64 n = isize(values);
    std::vector<f64> all(usize(n * size_));
    check(mpi_.allgather(values.data(), bytes_of(n * 8), mpi_.byte, all.data(), bytes_of(n * 8),
                         mpi_.byte, mpi_.world),
          "MPI_Allgather");
    for (i64 i = 0; i < n; ++i) {
      f64 sum = all[usize(i)];
      for (i64 r = 1; r < size_; ++r)
        sum += all[usize(r * n + i)];
      values[usize(i)] = sum;
    }
  }

  void reduce_scatter(std::span<f32> slab) override {
    const Part own = own_part(*this, isize(slab));
    each_piece(slab, [&](i64 at, i64 n) {
      for (i64 r = 0; r < size_; ++r)
        copy(piece_of(slab, r, at), mine_.data() + r * n, n);
      check(mpi_.alltoall(mine_.data(), bytes_of(n * 4), mpi_.byte, all_.data(), bytes_of(n * 4),
                          mpi_.byte, mpi_.world),
            "MPI_Alltoall");
      f32* sums = slab.data() + own.begin + at;
      parallel_for(n, kSumGrain, [&](i64 begin, i64 end) {
        copy(all_.data() + begin, sums + begin, end - begin);
        for (i64 r = 1; r < size_; ++r) {
          const f32* theirs = all_.data() + r * n;
          for (i64 i = begin; i < end; ++i)
            sums[i] += theirs[i];
        }
      });
    });
  }

  void all_gather(std::span<f32> slab) override {
    each_piece(slab, [&](i64 at, i64 n) {
      check(mpi_.allgather(piece_of(slab, rank_, at), bytes_of(n * 4), mpi_.byte, all_.data(),
                           bytes_of(n * 4), mpi_.byte, mpi_.world),
            "MPI_Allgather");
      take_pieces(slab, at, n);
    });
  }

  void gather(std::span<f32> slab, i64 root) override {
    each_piece(slab, [&](i64 at, i64 n) {
      check(mpi_.gather(piece_of(slab, rank_, at), bytes_of(n * 4), mpi_.byte, all_.data(),
                        bytes_of(n * 4), mpi_.byte, static_cast<int>(root), mpi_.world),
            "MPI_Gather");
      if (rank_ == root) take_pieces(slab, at, n);
    });
  }

  void scatter(std::span<f32> slab, i64 root) override {
    each_piece(slab, [&](i64 at, i64 n) {
      for (i64 r = 0; r < size_ && rank_ == root; ++r)
        copy(piece_of(slab, r, at), all_.data() + r * n, n);
      check(mpi_.scatter(all_.data(), bytes_of(n * 4), mpi_.byte, mine_.data(), bytes_of(n * 4),
                         mpi_.byte, static_cast<int>(root), mpi_.world),
            "MPI_Scatter");
      copy(mine_.data(), piece_of(slab, rank_, at), n);
    });
  }

  void broadcast(std::span<u8> bytes, i64 root) override {
    for (i64 at = 0; at < isize(bytes); at += kBroadcastBytes) {
      const i64 n = std::min(kBroadcastBytes, isize(bytes) - at);
      check(
          mpi_.bcast(bytes.data() + at, bytes_of(n), mpi_.byte, static_cast<int>(root), mpi_.world),
          "MPI_Bcast");
    }
  }

  void barrier() override { check(mpi_.barrier(mpi_.world), "MPI_Barrier"); }
  void leave() override { check(mpi_.finalize(), "MPI_Finalize"); }
  void abort(int status) noexcept override { mpi_.abort(mpi_.world, status); }

 private:
  static int bytes_of(i64 bytes) { return static_cast<int>(bytes); }
  static void copy(const f32* from, f32* to, i64 n) { std::copy_n(from, n, to); }

  f32* piece_of(std::span<f32> slab, i64 rank, i64 at) const {
    return slab.data() + rank * (isize(slab) / size_) + at;
  }

  /// f(at, n) for pieces [at, at + n) of every rank's part, with room for one of each rank in mine_
  /// and all_.
  template <class F>
  void each_piece(std::span<f32> slab, F f) {
    const i64 each = own_part(*this, isize(slab)).count();
    const i64 most = std::min(each, std::max<i64>(1, kPieceBytes / 4 / size_));
    mine_.resize(usize(most * size_));
    all_.resize(usize(most * size_));
    for (i64 at = 0; at < each; at += most)
      f(at, std::min(most, each - at));
  }

  void take_pieces(std::span<f32> slab, i64 at, i64 n) const {
    for (i64 r = 0; r < size_; ++r)
      if (r != rank_) copy(all_.data() + r * n, piece_of(slab, r, at), n);
  }

  void check(int code, const char* what) const {
    if (code == MPI_SUCCESS) return;
    std::string text(MPI_MAX_ERROR_STRING, '\0');
    int length = 0;
    if (mpi_.error_string(code, text.data(), &length) != MPI_SUCCESS) length = 0;
    text.resize(usize(length));
    throw Error(ErrorKind::kIo, cat(what, ": error ", code, text.empty() ? "" : ": ", text));
  }

  const Library mpi_;
  int rank_ = 0;
  int size_ = 1;
  std::vector<f32> mine_;
  std::vector<f32> all_;
};

}  // namespace

std::unique_ptr<Comm> mpi_comm() {
  return std::make_unique<MpiComm>();
}

}  // namespace lm::comm

#else

namespace lm::comm {

std::unique_ptr<Comm> mpi_comm() {
  throw Error(ErrorKind::kUnavailable, "several ranks were started, but this build has no MPI",
              "build with LM_MPI=ON, or start one process");
}

}  // namespace lm::comm

#endif
