# Every library the build uses. A missing one is an error that names the Debian package to install.

macro(dnn_require debian_package name)
  find_package(${name} ${ARGN} QUIET)
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "${name} was not found. On Debian: apt-get install ${debian_package}")
  endif()
endmacro()

dnn_require(libopenmpi-dev MPI COMPONENTS CXX)
# Only MPI's C interface is used; its C++ bindings, removed from the standard in MPI-3, stay out.
set_property(TARGET MPI::MPI_CXX APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS OMPI_SKIP_MPICXX
             MPICH_SKIP_MPICXX)
dnn_require(libboost-serialization-dev Boost 1.74 COMPONENTS serialization)
dnn_require(libcli11-dev CLI11)
dnn_require(nlohmann-json3-dev nlohmann_json 3.9)
dnn_require(libssl-dev OpenSSL COMPONENTS Crypto)
dnn_require(zlib1g-dev ZLIB)
dnn_require(libdnnl-dev dnnl)
dnn_require(g++ Threads)
dnn_require(g++ OpenMP COMPONENTS CXX)

add_library(dnn::onednn ALIAS DNNL::dnnl)

# OpenBLAS by its own header and library: distributions name its CMake package differently.
find_path(DNN_CBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas openblas-openmp)
find_library(DNN_OPENBLAS_LIBRARY openblas)
if(NOT DNN_OPENBLAS_LIBRARY OR NOT DNN_CBLAS_INCLUDE)
  message(FATAL_ERROR "OpenBLAS was not found. On Debian: apt-get install libopenblas-openmp-dev")
endif()
add_library(dnn_openblas INTERFACE)
target_include_directories(dnn_openblas SYSTEM INTERFACE ${DNN_CBLAS_INCLUDE})
target_link_libraries(dnn_openblas INTERFACE ${DNN_OPENBLAS_LIBRARY})
add_library(dnn::openblas ALIAS dnn_openblas)

find_path(DNN_RANDOM123_INCLUDE Random123/philox.h)
if(NOT DNN_RANDOM123_INCLUDE)
  message(FATAL_ERROR "Random123 was not found. On Debian: apt-get install librandom123-dev")
endif()
add_library(dnn_random123 INTERFACE)
target_include_directories(dnn_random123 SYSTEM INTERFACE ${DNN_RANDOM123_INCLUDE})
add_library(dnn::random123 ALIAS dnn_random123)

if(DNN_TESTS)
  dnn_require(libgtest-dev GTest)
  find_program(DNN_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
  find_program(DNN_PYTHON NAMES python3)
  execute_process(COMMAND ${DNN_PYTHON} -c "import numpy" RESULT_VARIABLE dnn_numpy_missing
                  OUTPUT_QUIET ERROR_QUIET)
  if(NOT DNN_PYTHON OR dnn_numpy_missing)
    message(FATAL_ERROR "Python 3 with NumPy was not found (the tests compare with it). "
                        "On Debian: apt-get install python3-numpy")
  endif()
endif()
