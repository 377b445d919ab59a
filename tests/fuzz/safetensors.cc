// A safetensors file: the header may say anything; what it says of a tensor stays in the file.

#include "tensor/safetensors.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  static fuzz::ScratchFile file;
  const std::string& path = file.put(fuzz::text_of(data, size));
  fuzz::refuse_or_run([&] {
    const SafeFile safe(path);
    u64 sum = 0;
    for (const SafeEntry& entry : safe.entries()) {
      for (i64 i = 0; i < entry.bytes; ++i)
        sum += entry.data[i];
      LM_CHECK(safe.find(entry.name) == &entry, "entries are found by name");
    }
    static volatile u64 sink = 0;  // the reads happen
    sink = sink + sum;
  });
  return 0;
}
