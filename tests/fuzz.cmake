# Fuzz targets: each is a program that runs its corpus and RUNS mutations of it, the same ones on
# every machine. A failing input is left in failed-input beside the test. Longer hunts: scripts/fuzz,
# which builds them with -DLM_FUZZ=ON for libFuzzer's own main.
function(lm_fuzz target)
  cmake_parse_arguments(A "" "RUNS" "ROOMS" ${ARGN})
  if(LM_FUZZ)
    lm_bench(fuzz-${target} ROOMS ${A_ROOMS} SOURCES fuzz/${target}.cc)
    target_link_options(fuzz-${target} PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  lm_bench(fuzz-${target} ROOMS ${A_ROOMS} SOURCES fuzz/${target}.cc fuzz/driver.cc)
  set_target_properties(fuzz-${target} PROPERTIES EXCLUDE_FROM_ALL FALSE)
  if(LM_SANITIZE MATCHES "address|thread")  # clang has no macro for it
    target_compile_definitions(fuzz-${target} PRIVATE LM_SHADOW_MEMORY)
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/fuzz-${target}.run)
  file(MAKE_DIRECTORY ${folder})
  add_test(NAME fuzz-${target} WORKING_DIRECTORY ${folder}
    COMMAND fuzz-${target} --runs ${A_RUNS} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${target})
  set_tests_properties(fuzz-${target} PROPERTIES LABELS fuzz TIMEOUT 3600)
endfunction()

lm_fuzz(tokenizer RUNS 6000 ROOMS text)
lm_fuzz(template RUNS 20000 ROOMS text)
lm_fuzz(expression RUNS 100000 ROOMS mix)
lm_fuzz(json_path RUNS 100000 ROOMS mix)
lm_fuzz(clean RUNS 20000 ROOMS clean)
lm_fuzz(stream RUNS 5000 ROOMS io)
lm_fuzz(parquet RUNS 6000 ROOMS parquet)
lm_fuzz(settings RUNS 6000 ROOMS cli)
lm_fuzz(safetensors RUNS 6000 ROOMS tensor)
lm_fuzz(config RUNS 200000 ROOMS model)
lm_fuzz(csv RUNS 10000 ROOMS ingest)
lm_fuzz(warc RUNS 5000 ROOMS ingest)
