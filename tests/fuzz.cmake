# Fuzz targets: each is a program that runs its corpus and ten seconds of mutations of it. A failing
# input is left in failed-input beside the test.
function(lm_fuzz target)
  cmake_parse_arguments(A "" "" "ROOMS" ${ARGN})
  lm_bench(fuzz-${target} ROOMS ${A_ROOMS} SOURCES fuzz/${target}.cc fuzz/driver.cc)
  set_target_properties(fuzz-${target} PROPERTIES EXCLUDE_FROM_ALL FALSE)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/fuzz-${target}.run)
  file(MAKE_DIRECTORY ${folder})
  add_test(NAME fuzz-${target} WORKING_DIRECTORY ${folder}
    COMMAND fuzz-${target} --seconds 10 ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${target})
  set_tests_properties(fuzz-${target} PROPERTIES LABELS fuzz TIMEOUT 180)
endfunction()

lm_fuzz(tokenizer ROOMS text)
lm_fuzz(stream ROOMS io)
lm_fuzz(settings ROOMS cli)
lm_fuzz(safetensors ROOMS tensor)
lm_fuzz(config ROOMS model)
