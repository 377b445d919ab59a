#pragma once
// The few device calls that host code makes, without a CUDA type: runtime.cc answers them with the
// CUDA runtime, emulator.cc (tests) with host memory. A lm::Stream* is the runtime's stream handle;
// null is the default stream. One device per process: use_device fixes it.

#include <string>

#include "core/types.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// Devices that answer; 0 with the runtime's reason in *why (no driver, none present, ...).
i64 device_count(std::string* why);
/// Makes `device` current for this process. Throws Error{kUnavailable} with the runtime's reason.
void use_device(int device);
/// Compute capability times ten, 90 for Hopper.
int capability();
/// "NVIDIA H100 80GB HBM3".
std::string device_name();

/// Device memory, 256-byte aligned. Throws Error{kOs} naming bytes asked, free and total.
void* allocate(i64 bytes);
void release(void* base) noexcept;
/// Bytes of device memory that allocate() could give.
i64 free_memory();
void set_zero(void* dst, i64 bytes, Stream* stream);
/// Between host and device; return when the host side may be reused or read.
void upload(void* dst, const void* src, i64 bytes, Stream* stream);
void download(void* dst, const void* src, i64 bytes, Stream* stream);
/// Within device memory, queued.
void copy_within(void* dst, const void* src, i64 bytes, Stream* stream);

/// A queue of its own, never freed.
Stream* make_stream();
/// Between these two, what is queued on the stream is recorded and not run. False where recording
/// cannot begin; null where what was queued cannot be recorded.
bool begin_capture(Stream* stream);
void* end_capture(Stream* stream);
/// Queues what was recorded.
void launch_graph(void* graph, Stream* stream);
void release_graph(void* graph) noexcept;

/// Waits for the stream. Throws Error{kInternal} with the error of any kernel that failed in it.
void wait(Stream* stream);
/// Throws Error{kInternal} naming the kernel if the launch just made was refused.
void check_launch(const char* kernel);

}  // namespace lm::cuda
