#pragma once
// A block's dynamic shared memory, named by u32 addresses, and asynchronous copies of 16 bytes into
// it (sm_80 and later). Under LM_EMU the same functions run on the block emulator.

#include "device.h"

namespace lm::cu {

/// Address of the block's dynamic shared memory, a multiple of 1024.
LM_DEVICE u32 dynamic_shared() {
#ifdef LM_EMU
  return 0;
#else
  extern __shared__ __align__(1024) unsigned char lm_dynamic_shared[];
  return static_cast<u32>(__cvta_generic_to_shared(lm_dynamic_shared));
#endif
}

/// Accesses to dynamic shared memory; addresses are multiples of the size.
struct Words4 {
  u32 w[4];
};
struct Pair {
  f32 x, y;
};
LM_DEVICE void shared_store(u32 address, u32 word) {
#ifdef LM_EMU
  emu::dynamic_write(address, &word, 4);
#else
  asm volatile("st.shared.u32 [%0], %1;" ::"r"(address), "r"(word) : "memory");
#endif
}
LM_DEVICE Words4 shared_load16(u32 address) {
  Words4 v;
#ifdef LM_EMU
  emu::dynamic_read(address, v.w, 16);
#else
  asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.w[0]), "=r"(v.w[1]), "=r"(v.w[2]), "=r"(v.w[3])
               : "r"(address));
#endif
  return v;
}
/// One access to global memory; the address is a multiple of 16.
LM_DEVICE void store16(void* to, const Words4& v) {
#ifdef LM_EMU
  emu::require_aligned(to, 16);
  *static_cast<Words4*>(to) = v;
#else
  // From C++ the compiler makes four stores of it.
  asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(to)),
               "r"(v.w[0]), "r"(v.w[1]), "r"(v.w[2]), "r"(v.w[3])
               : "memory");
#endif
}
LM_DEVICE Pair shared_load_pair(u32 address) {
  Pair v;
#ifdef LM_EMU
  emu::dynamic_read(address, &v, 8);
#else
  asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];" : "=f"(v.x), "=f"(v.y) : "r"(address));
#endif
  return v;
}

/// Starts a copy of 16 bytes, zeros unless `valid`; `from` is then not read. The bytes may be read
/// by this thread after cp_async_wait, by others after a barrier that follows it.
LM_DEVICE void cp_async_16(u32 address, const void* from, bool valid) {
#ifdef LM_EMU
  emu::async_copy(address, valid ? from : nullptr);
#else
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(address), "l"(from),
               "r"(bytes)
               : "memory");
#endif
}
LM_DEVICE void cp_async_commit() {
#ifdef LM_EMU
  emu::async_commit();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
/// Waits until at most Pending of this thread's committed groups are under way.
template <int Pending>
LM_DEVICE void cp_async_wait() {
#ifdef LM_EMU
  emu::async_wait(Pending);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#endif
}

}  // namespace lm::cu
