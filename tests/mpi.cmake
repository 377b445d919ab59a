# Several ranks on this machine. Without mpirun these tests are skipped.
find_program(LM_MPIRUN mpirun)
if(LM_HAVE_MPI AND LM_MPIRUN)
  lm_test(test-mpi ROOMS comm SOURCES mpi/comm_test.cc)
  foreach(ranks 1 2 4)
    add_test(NAME mpi-comm-${ranks} COMMAND ${LM_MPIRUN} -q --allow-run-as-root --oversubscribe
      --bind-to none --mca btl_vader_single_copy_mechanism none -np ${ranks} $<TARGET_FILE:test-mpi> --warn NoTests)
    set_tests_properties(mpi-comm-${ranks} PROPERTIES LABELS mpi TIMEOUT 600 PROCESSORS 2)
  endforeach()
endif()
if(LM_HAVE_MPI)
  lm_script_test(mpi-train LABEL mpi TIMEOUT 600 COMMAND tests/mpi/train PROPERTIES PROCESSORS 2)
endif()
