// Opens the library at run time; apart from the shim so that tests link a recording fake instead.

#include <dlfcn.h>

#include "core/error.h"
#include "core/str.h"
#include "cublaslt_shim.h"

namespace lm::cuda {

namespace {

template <typename F>
void resolve(void* library, const char* name, F* to) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) {
    throw Error(ErrorKind::kUnavailable, cat("libcublasLt lacks the function ", name));
  }
  *to = reinterpret_cast<F>(symbol);
}

}  // namespace

LtTable load_cublaslt() {
  void* library = nullptr;
  std::string why;
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12"}) {
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
    const char* reason = dlerror();
    why += cat(why.empty() ? "" : "; ", reason == nullptr ? name : reason);
  }
  if (library == nullptr) {
    throw Error(ErrorKind::kUnavailable, cat("cannot open cuBLASLt: ", why),
                "install the CUDA runtime libraries (libcublas) or use --device cpu");
  }
  LtTable t;
  resolve(library, "cublasLtCreate", &t.create);
  resolve(library, "cublasLtDestroy", &t.destroy);
  resolve(library, "cublasLtGetVersion", &t.version);
  resolve(library, "cublasLtGetStatusString", &t.status_string);
  resolve(library, "cublasLtMatmulDescCreate", &t.desc_create);
  resolve(library, "cublasLtMatmulDescDestroy", &t.desc_destroy);
  resolve(library, "cublasLtMatmulDescSetAttribute", &t.desc_set);
  resolve(library, "cublasLtMatrixLayoutCreate", &t.layout_create);
  resolve(library, "cublasLtMatrixLayoutDestroy", &t.layout_destroy);
  resolve(library, "cublasLtMatrixLayoutSetAttribute", &t.layout_set);
  resolve(library, "cublasLtMatmulPreferenceCreate", &t.pref_create);
  resolve(library, "cublasLtMatmulPreferenceDestroy", &t.pref_destroy);
  resolve(library, "cublasLtMatmulPreferenceSetAttribute", &t.pref_set);
  resolve(library, "cublasLtMatmulAlgoGetHeuristic", &t.heuristic);
  resolve(library, "cublasLtMatmul", &t.matmul);
  return t;
}

}  // namespace lm::cuda
