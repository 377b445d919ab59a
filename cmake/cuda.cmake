# The cuda room. With nvcc: kernels/*.cu become one archive, kernels/*.cc (host code, by the C++
# compiler) the room's objects, cudart is linked statically, cuBLASLt is opened at run time. Without
# nvcc: kernels/stub/*.cc gives the same functions, which say that there are no kernels.

# -gencode options for a list like CMAKE_CUDA_ARCHITECTURES: 90a-real, 80-virtual, 86 (both).
function(lm_cuda_gencode out archs)
  set(options "")
  foreach(arch ${archs})
    string(REGEX REPLACE "-.*$" "" number "${arch}")
    if(arch MATCHES "-virtual$")
      list(APPEND options -gencode arch=compute_${number},code=compute_${number})
    elseif(arch MATCHES "-real$")
      list(APPEND options -gencode arch=compute_${number},code=sm_${number})
    else()
      list(APPEND options -gencode
           arch=compute_${number},code=[sm_${number},compute_${number}])
    endif()
  endforeach()
  set(${out} "${options}" PARENT_SCOPE)
endfunction()

# One archive of all kernels; ptxas's report of registers and spills goes to <file>.ptxas.
function(lm_cuda_archive)
  lm_cuda_gencode(gencode "${LM_CUDA_ARCHS}")
  set(strict "")
  if(LM_WERROR)
    set(strict -Werror all-warnings)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/*.cu)
  set(folder ${CMAKE_BINARY_DIR}/cuda)
  file(MAKE_DIRECTORY ${folder})
  set(objects "")
  foreach(source ${sources})
    get_filename_component(base ${source} NAME_WE)
    set(object ${folder}/${base}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${LM_LAUNCHER} ${LM_NVCC} -c -O3 -std=c++20 ${gencode} -ccbin ${CMAKE_CXX_COMPILER}
        --expt-relaxed-constexpr -Xptxas -v ${strict}
        -Xcompiler -fPIC,-Wall,-Wextra -I${CMAKE_SOURCE_DIR}/lib -I${CMAKE_SOURCE_DIR}/kernels
        -MD -MF ${object}.d -o ${object} ${source} 2> ${folder}/${base}.ptxas
        || (cat ${folder}/${base}.ptxas && false)
      DEPENDS ${source} DEPFILE ${object}.d
      COMMENT "nvcc ${base}.cu")
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    list(APPEND objects ${object})
  endforeach()
  add_library(lm_cuda_kernels STATIC ${objects})
  set_target_properties(lm_cuda_kernels PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

function(lm_cuda_objects use)
  if(use)
    get_filename_component(root ${LM_NVCC} REALPATH)
    get_filename_component(root ${root} DIRECTORY)
    get_filename_component(root ${root} DIRECTORY)
    find_library(LM_CUDART cudart_static REQUIRED HINTS ${root}/lib64 ${root}/lib
      ${root}/targets/x86_64-linux/lib)
    find_path(LM_CUDA_INCLUDE cuda_runtime_api.h REQUIRED HINTS ${root}/include
      ${root}/targets/x86_64-linux/include)
    lm_cuda_archive()
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/*.cc)
    list(FILTER sources EXCLUDE REGEX "/emulator\\.cc$")
    set(libs lm_cuda_kernels ${LM_CUDART} Threads::Threads ${CMAKE_DL_LIBS} rt)
    set_property(SOURCE ${CMAKE_SOURCE_DIR}/lib/cli/build.cc
      APPEND PROPERTY COMPILE_DEFINITIONS LM_HAVE_CUDA)
  else()
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/stub/*.cc)
    set(libs "")
  endif()
  add_library(lm_cuda OBJECT ${sources})
  set_target_properties(lm_cuda PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(lm_cuda PRIVATE lm_flags)
  lm_room_closure(below ops)
  foreach(room ${below})
    get_property(room_libs GLOBAL PROPERTY LM_ROOM_LIBS_${room})
    target_link_libraries(lm_cuda PRIVATE ${room_libs})
  endforeach()
  if(use)
    target_include_directories(lm_cuda SYSTEM PRIVATE ${LM_CUDA_INCLUDE})
  endif()
  lm_declare_room(cuda DEPS ops LIBS ${libs} OBJECTS lm_cuda)
endfunction()
