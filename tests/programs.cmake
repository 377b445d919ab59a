# Tests that run the programs: command-line cases, the contract's acceptance tests, fault and crash
# loops, manual pages, style. All are scripts; each gets the folder of the programs as BIN.
set(bin ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
get_property(lm_tool_names GLOBAL PROPERTY LM_TOOL_NAMES)

# lm_script_test(name LABEL label TIMEOUT seconds COMMAND ...)
function(lm_script_test name)
  cmake_parse_arguments(A "" "LABEL;TIMEOUT" "COMMAND;PROPERTIES" ${ARGN})
  add_test(NAME ${name} COMMAND ${A_COMMAND} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${A_LABEL}" TIMEOUT ${A_TIMEOUT}
    ENVIRONMENT "BIN=${bin}" SKIP_RETURN_CODE 77 ${A_PROPERTIES})
endfunction()

# Manual pages: out of date, lint, examples.
file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/man/*.1.in)
foreach(page ${pages})
  get_filename_component(tool ${page} NAME)
  string(REPLACE ".1.in" "" tool ${tool})
  if(tool IN_LIST lm_tool_names)
    lm_script_test(man-${tool} LABEL man TIMEOUT 600
      COMMAND scripts/man --bin ${bin} --check --examples ${tool})
  endif()
endforeach()

# Command-line cases, one entry per script.
file(GLOB cases CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/cli/*/*.sh)
foreach(case ${cases})
  cmake_path(GET case STEM name)
  cmake_path(GET case PARENT_PATH folder)
  cmake_path(GET folder FILENAME tool)
  if(tool IN_LIST lm_tool_names)
    lm_script_test(cli-${tool}-${name} LABEL cli TIMEOUT 600 COMMAND scripts/cli_test --bin ${bin} ${tool}/${name})
  endif()
endforeach()

# The contract, program by program (and verb by verb: lm-X.verb.sh).
file(GLOB profiles CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/acceptance/profiles/*.sh)
foreach(profile ${profiles})
  get_filename_component(name ${profile} NAME)
  string(REGEX REPLACE "\\.sh$" "" name ${name})
  string(REGEX REPLACE "\\..*" "" tool ${name})
  if(tool IN_LIST lm_tool_names)
    lm_script_test(acceptance-${name} LABEL acceptance TIMEOUT 3600
      COMMAND tests/acceptance/run --bin ${bin} ${name})
  endif()
endforeach()

# Every verb of the programs of curation: threads, shards, and where each record went.
file(GLOB tables CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/verbs/*.sh)
foreach(table ${tables})
  cmake_path(GET table STEM tool)
  if(tool IN_LIST lm_tool_names)
    lm_script_test(verbs-${tool} LABEL acceptance TIMEOUT 3600 COMMAND tests/verbs/run --bin ${bin} ${tool})
  endif()
endforeach()

# Faults: a preloaded library makes calls fail. AddressSanitizer must itself come first, so not there.
if(NOT LM_SANITIZE)
  add_library(fault MODULE fault/fault.cc)
  target_link_libraries(fault PRIVATE lm_flags ${CMAKE_DL_LIBS})
  foreach(profile ${profiles})
    get_filename_component(name ${profile} NAME)
    string(REGEX REPLACE "\\.sh$" "" name ${name})
    string(REGEX REPLACE "\\..*" "" tool ${name})
    if(tool IN_LIST lm_tool_names)
      lm_script_test(fault-${name} LABEL fault TIMEOUT 3600
        COMMAND tests/fault/run --bin ${bin} --library $<TARGET_FILE:fault> ${name})
    endif()
  endforeach()
endif()

if(TARGET lm-cat)
  lm_script_test(man-lm-tools LABEL man TIMEOUT 600 COMMAND scripts/man --bin ${bin} --check --examples lm-tools lm-curation)
endif()
lm_script_test(readme LABEL cli TIMEOUT 600 COMMAND tests/readme/run --bin ${bin})
lm_script_test(configure LABEL style TIMEOUT 600
  COMMAND tests/configure/run ${CMAKE_SOURCE_DIR} ${CMAKE_CXX_COMPILER})
lm_script_test(check-includes LABEL style TIMEOUT 600 COMMAND scripts/check_includes)
lm_script_test(check-style LABEL style TIMEOUT 600 COMMAND scripts/check_style)
if(NOT LM_SANITIZE)
  lm_script_test(bundle LABEL bundle TIMEOUT 600 COMMAND tests/bundle/run ${CMAKE_BINARY_DIR})
endif()

# The experiments: shared pieces, make -n and the form of their READMEs, the surveys' checklists.
lm_script_test(experiments-common LABEL cli TIMEOUT 600 COMMAND tests/experiments/run common)
lm_script_test(experiments-inputs LABEL cli TIMEOUT 600 COMMAND tests/experiments/run inputs)
lm_script_test(experiments-forms LABEL cli TIMEOUT 600 COMMAND tests/experiments/run forms)
lm_script_test(experiments-page LABEL cli TIMEOUT 600 COMMAND tests/experiments/run page)
lm_script_test(experiments-checklist LABEL cli TIMEOUT 600 COMMAND tests/experiments/run checklist)
lm_script_test(experiments-whole LABEL cli TIMEOUT 600 COMMAND tests/experiments/run whole)
