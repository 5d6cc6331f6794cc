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
dnn_require(libboost-serialization-dev Boost 1.74 CONFIG COMPONENTS serialization)
dnn_require(libcli11-dev CLI11)
dnn_require(nlohmann-json3-dev nlohmann_json 3.9)
dnn_require(libfmt-dev fmt 9)
dnn_require(libssl-dev OpenSSL COMPONENTS Crypto)
dnn_require(zlib1g-dev ZLIB)
dnn_require(libarchive-dev LibArchive)
dnn_require(g++ Threads)
dnn_require(g++ OpenMP COMPONENTS CXX)

# dnn_find(NAME HEADER LIBRARIES DEBIAN_PACKAGE [HINT]): the target dnn::NAME, found by header and library, the
# first of LIBRARIES that is there. For packages without a CMake file, or with one that differs between
# distributions (OpenBLAS, HDF5), or that asks for things that are not needed (oneDNN's wants OpenCL's headers).
# LIBRARIES may be empty. HINT: what else may be done where it is missing.
function(dnn_find name header libraries debian_package)
  string(TOUPPER DNN_${name} prefix)
  find_path(${prefix}_INCLUDE ${header} PATH_SUFFIXES openblas hdf5/serial)
  if(libraries)
    find_library(${prefix}_LIBRARY NAMES ${libraries} NAMES_PER_DIR)
  endif()
  if(NOT ${prefix}_INCLUDE OR (libraries AND NOT ${prefix}_LIBRARY))
    message(FATAL_ERROR "${name} was not found. On Debian: apt-get install ${debian_package}${ARGN}")
  endif()
  add_library(dnn_${name} INTERFACE)
  target_include_directories(dnn_${name} SYSTEM INTERFACE ${${prefix}_INCLUDE})
  if(libraries)
    target_link_libraries(dnn_${name} INTERFACE ${${prefix}_LIBRARY})
  endif()
  add_library(dnn::${name} ALIAS dnn_${name})
endfunction()

dnn_find(onednn dnnl.h dnnl libdnnl-dev)
dnn_find(hwloc hwloc.h hwloc libhwloc-dev)
dnn_find(fast_float fast_float/fast_float.h "" libfast-float-dev)
dnn_find(random123 Random123/philox.h "" librandom123-dev)
dnn_find(tomlplusplus toml++/toml.h "" libtomlplusplus-dev)
dnn_find(httplib httplib.h cpp-httplib libcpp-httplib-dev)
# As Debian's library was built: its types have members for TLS.
target_compile_definitions(dnn_httplib INTERFACE CPPHTTPLIB_OPENSSL_SUPPORT)
if(DNN_HDF5)
  dnn_find(hdf5 hdf5.h "hdf5_serial;hdf5" libhdf5-dev ". Without HDF5 files: cmake -DDNN_HDF5=OFF")
  include(CheckLibraryExists)
  check_library_exists(${DNN_HDF5_LIBRARY} H5Pset_file_locking "" DNN_HDF5_HAS_FILE_LOCKING)
  if(NOT DNN_HDF5_HAS_FILE_LOCKING)
    unset(DNN_HDF5_HAS_FILE_LOCKING CACHE)  # the next library may have it
    message(FATAL_ERROR "The HDF5 library ${DNN_HDF5_LIBRARY} has no H5Pset_file_locking: version 1.10.7, 1.12.1 or a "
                        "later one is needed. Without HDF5 files: cmake -DDNN_HDF5=OFF")
  endif()
endif()

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
  if(DNN_HDF5)
    execute_process(COMMAND ${DNN_PYTHON} -c "import h5py" RESULT_VARIABLE dnn_h5py_missing
                    OUTPUT_QUIET ERROR_QUIET)
    if(dnn_h5py_missing)
      message(FATAL_ERROR "h5py was not found for ${DNN_PYTHON} (the tests write HDF5 files with it). "
                          "On Debian: apt-get install python3-h5py")
    endif()
  endif()
endif()

if(DNN_BENCH)
  dnn_require(libbenchmark-dev benchmark)
  dnn_find(openblas cblas.h openblas libopenblas-openmp-dev)  # to compare with
endif()
