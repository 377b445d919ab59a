# The cuda room: kernels/*.cu through nvcc, or kernels/stub/*.cc where nvcc is absent.
function(lm_cuda_objects use)
  lm_declare_room(cuda DEPS ops)
endfunction()
