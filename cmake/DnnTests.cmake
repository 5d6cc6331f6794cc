# How tests are registered.

include(GoogleTest)

# Several ranks on few cores, as root or not: what plain mpirun refuses, tests must do.
set(DNN_MPI_ENVIRONMENT OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
                        OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_ALLOW_RUN_AS_ROOT=1
                        PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
                        OMPI_MCA_btl_base_warn_component_unused=0
                        # One machine: Open MPI 4 takes a second or more to look for fast networks, and
                        # Open MPI 5 warns where there is no network at all.
                        OMPI_MCA_pml=ob1 OMPI_MCA_btl=^tcp,ofi,openib,uct
                        # Ranks and threads that wait leave the cores to others, of other tests as well.
                        OMPI_MCA_mpi_yield_when_idle=1 OMP_WAIT_POLICY=passive)
if(DNN_SANITIZE)
  # Open MPI keeps memory to the end of the process; what the project leaks is found in one-process tests. Tests of
  # failing disks load a library in front of all others.
  set(DNN_SANITIZER_ENVIRONMENT ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0)
  if(DNN_SANITIZE MATCHES thread)
    set(tsan_options ignore_noninstrumented_modules=1:die_after_fork=0)
    set(DNN_SANITIZER_ENVIRONMENT TSAN_OPTIONS=${tsan_options}:suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp)
    # Tells the thread sanitizer how OpenMP's threads wait for each other.
    file(GLOB archer /usr/lib/llvm-*/lib/libarcher.so)
    if(NOT archer)
      message(FATAL_ERROR "libarcher.so was not found. On Debian: apt-get install libomp-dev")
    endif()
    list(GET archer -1 archer)
    set(DNN_OPENMP_TOOL OMP_TOOL_LIBRARIES=${archer})
  endif()
  list(APPEND DNN_MPI_ENVIRONMENT ${DNN_SANITIZER_ENVIRONMENT} ${DNN_OPENMP_TOOL})
endif()

# Seconds after which a test counts as hung, on a busy machine too.
set(DNN_HANG 1200)

# dnn_add_layer_tests(LAYER): one program of all tests/LAYER/*_test.cpp, which links LAYER alone.
function(dnn_add_layer_tests layer)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${layer}/*_test.cpp)
  list(FILTER sources EXCLUDE REGEX "_mpi_test\\.cpp$")
  if(DNN_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    # It counts by an operator new of its own, and so do Clang's sanitizers, which allow no other.
    list(FILTER sources EXCLUDE REGEX "/step_allocation_test\\.cpp$")
  endif()
  add_executable(${layer}_test ${sources})
  target_link_libraries(${layer}_test PRIVATE dnn::${layer} dnn_test_support GTest::gtest_main)
  set(environment ENVIRONMENT OMP_WAIT_POLICY=passive)  # other tests need the cores
  if(DNN_OPENMP_TOOL)
    set(environment ENVIRONMENT ${DNN_OPENMP_TOOL})
  endif()
  gtest_discover_tests(${layer}_test TEST_PREFIX "${layer}/" PROPERTIES TIMEOUT ${DNN_HANG} LABELS ${layer} ${environment}
                       DISCOVERY_TIMEOUT 60)
endfunction()

# dnn_next_lane(VARIABLE): one of as many names as there are cores, in turns. Tests of several ranks lock one, so that no
# more of them run at a time. (PROCESSORS would let them wait until all smaller tests are done, and then run alone.) Their
# COST lets them begin early, beside tests that compute for themselves.
cmake_host_system_information(RESULT DNN_CORES QUERY NUMBER_OF_LOGICAL_CORES)
function(dnn_next_lane variable)
  get_property(given GLOBAL PROPERTY DNN_LANES_GIVEN)
  list(LENGTH given count)
  math(EXPR lane "${count} % ${DNN_CORES}")
  set_property(GLOBAL APPEND PROPERTY DNN_LANES_GIVEN ${lane})
  set(${variable} ranks.${lane} PARENT_SCOPE)
endfunction()

# dnn_add_mpi_test(LAYER NAME RANKS n...): tests/LAYER/NAME_mpi_test.cpp, run by mpiexec
# once for each number of ranks. Its tests see the ranks through dnn::test::world().
function(dnn_add_mpi_test layer name)
  cmake_parse_arguments(ARG "" "" "RANKS" ${ARGN})
  set(target ${layer}_${name}_mpi_test)
  add_executable(${target} ${layer}/${name}_mpi_test.cpp)
  target_link_libraries(${target} PRIVATE dnn::${layer} dnn_test_mpi_main)
  foreach(ranks IN LISTS ARG_RANKS)
    dnn_next_lane(lane)
    add_test(NAME ${layer}/${name}.np${ranks}
             COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:${target}>)
    set_tests_properties(${layer}/${name}.np${ranks} PROPERTIES
                         TIMEOUT ${DNN_HANG} LABELS "${layer};mpi" RESOURCE_LOCK ${lane} COST 10
                         FIXTURES_REQUIRED mpi ENVIRONMENT "${DNN_MPI_ENVIRONMENT}")
  endforeach()
endfunction()
