# The cuda room's tests. test-cuda: all kernels and the whole table on the block emulator, with a
# recording fake of cuBLASLt; runs everywhere. test-cuda-model: models on it. test-cuda-room: what the
# room itself says on a machine without a device. test-gpu: the same cases on a device; skipped where
# there is none.

file(GLOB cuda_kernel_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/*.cu)
file(GLOB cuda_host_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/*.cc)
list(FILTER cuda_host_sources EXCLUDE REGEX "/(runtime|cublaslt_abi|cublaslt_load)\\.cc$")
set_source_files_properties(${cuda_kernel_sources} PROPERTIES LANGUAGE CXX)
add_library(lm_cuda_emulated OBJECT ${cuda_kernel_sources} ${cuda_host_sources})
target_compile_definitions(lm_cuda_emulated PRIVATE LM_EMU)
target_compile_options(lm_cuda_emulated PRIVATE -Wno-unknown-pragmas)
target_link_libraries(lm_cuda_emulated PRIVATE lm_flags)

file(GLOB sources CONFIGURE_DEPENDS unit/cuda/*_test.cc)
list(FILTER sources EXCLUDE REGEX "/(room|engine)_test\\.cc$")
lm_test(test-cuda ROOMS ops cpu SOURCES ${sources} unit/cuda/fake_cublaslt.cc unit/cuda/device_cases.cc
  unit/cuda/attention_mma_cases.cc unit/cuda/paged_cases.cc
  $<TARGET_OBJECTS:lm_cuda_emulated> $<TARGET_OBJECTS:lm_op_cases>)
target_compile_definitions(test-cuda PRIVATE LM_EMU)
add_test(NAME unit-cuda COMMAND test-cuda --warn NoTests)
set_tests_properties(unit-cuda PROPERTIES LABELS unit TIMEOUT ${unit_limit})

# Models on the emulated device.
lm_test(test-cuda-model ROOMS model WITHOUT cuda SOURCES unit/cuda/engine_test.cc unit/cuda/engine_cases.cc
  unit/cuda/fake_cublaslt.cc $<TARGET_OBJECTS:lm_cuda_emulated>)
target_compile_definitions(test-cuda-model PRIVATE LM_EMU)
add_test(NAME unit-cuda-model COMMAND test-cuda-model --warn NoTests)
set_tests_properties(unit-cuda-model PROPERTIES LABELS unit TIMEOUT ${unit_limit})

# A trainer on the emulated device.
lm_test(test-cuda-train ROOMS train WITHOUT cuda SOURCES unit/cuda_train/trainer_test.cc
  unit/cuda/fake_cublaslt.cc $<TARGET_OBJECTS:lm_cuda_emulated>)
target_compile_definitions(test-cuda-train PRIVATE LM_EMU)
add_test(NAME unit-cuda-train COMMAND test-cuda-train --warn NoTests)
set_tests_properties(unit-cuda-train PROPERTIES LABELS unit TIMEOUT ${unit_limit})

lm_test(test-cuda-room ROOMS cuda SOURCES unit/cuda/room_test.cc)
if(TARGET lm_cuda_kernels)
  target_compile_definitions(test-cuda-room PRIVATE LM_HAVE_CUDA)
endif()
add_test(NAME unit-cuda-room COMMAND test-cuda-room --warn NoTests)
set_tests_properties(unit-cuda-room PROPERTIES LABELS unit)

file(GLOB gpu_sources CONFIGURE_DEPENDS gpu/*_test.cc)
if(TARGET lm_cuda_kernels)
  list(APPEND gpu_sources unit/cuda/attention_mma_cases.cc unit/cuda/paged_cases.cc)
else()  # these call the launchers, which a stub build lacks
  list(FILTER gpu_sources EXCLUDE REGEX "/(figures|attention_mma|decode)_test\\.cc$")
endif()
lm_test(test-gpu ROOMS cuda model SOURCES ${gpu_sources} unit/cuda/device_cases.cc
  unit/cuda/engine_cases.cc $<TARGET_OBJECTS:lm_op_cases>)
add_test(NAME gpu COMMAND test-gpu --warn NoTests)
set_tests_properties(gpu PROPERTIES LABELS gpu TIMEOUT 600 SKIP_REGULAR_EXPRESSION "no CUDA device")

# Registers, stack and spills of every kernel against kernels/budget.json.
if(TARGET lm_cuda_kernels)
  add_test(NAME cuda-budget COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cuda_budget.sh
    ${CMAKE_SOURCE_DIR}/kernels/budget.json ${CMAKE_BINARY_DIR}/cuda)
  add_test(NAME cuda-ptx COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cuda_ptx.sh ${LM_NVCC}
    ${CMAKE_SOURCE_DIR})
  set_tests_properties(cuda-budget cuda-ptx PROPERTIES LABELS unit)
endif()
