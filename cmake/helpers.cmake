# Developers' helper programs, built into bin/helpers and not installed. Each links only the rooms it
# names, so that a helper builds while rooms above it are being changed.
function(lm_helper name source)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/${source})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/helpers)
  target_link_libraries(${name} PRIVATE lm_flags Threads::Threads ${CMAKE_DL_LIBS})
  lm_room_closure(all ${ARGN})
  foreach(room ${all})
    get_property(objects GLOBAL PROPERTY LM_ROOM_OBJECTS_${room})
    get_property(libs GLOBAL PROPERTY LM_ROOM_LIBS_${room})
    foreach(one ${objects})
      target_sources(${name} PRIVATE $<TARGET_OBJECTS:${one}>)
    endforeach()
    target_link_libraries(${name} PRIVATE ${libs})
  endforeach()
endfunction()

lm_helper(convert-llama2c scripts/convert_llama2c.cc model)
lm_helper(model-probe scripts/bench/model_probe.cc model)
lm_helper(make-tiny-model tests/helpers/make_tiny_model.cc model)
lm_helper(make-tiny-encoder tests/helpers/make_tiny_encoder.cc model)
lm_helper(make-tiny-wordnet tests/helpers/make_tiny_wordnet.cc core)
