# Packages for Debian: `cpack` in the build folder writes one .deb for each component that is added here. Install rules
# name the component (see DnnInstall.cmake).

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME dnn-train)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_CONTACT "dnn_train developers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL "")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # Depends: the packages of all shared libraries

# dnn_add_package(COMPONENT NAME SUMMARY DESCRIPTION [DEPENDS...]): the package NAME of the files of COMPONENT. DEPENDS:
# packages that it needs besides those of its shared libraries.
macro(dnn_add_package component name summary description)
  string(TOUPPER ${component} dnn_upper)
  string(REPLACE ";" ", " dnn_depends "${ARGN}")
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  set(CPACK_DEBIAN_${dnn_upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${dnn_upper}_PACKAGE_DEPENDS "${dnn_depends}")
  set(CPACK_DEBIAN_${dnn_upper}_DESCRIPTION "${summary}\n${description}")
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} RENAME copyright
          COMPONENT ${component} EXCLUDE_FROM_ALL)
endmacro()

# The package of mpirun.
set(dnn_mpi_runtime openmpi-bin)
set(dnn_mpi_development libopenmpi-dev)
if(MPI_CXX_INCLUDE_DIRS MATCHES mpich)
  set(dnn_mpi_runtime mpich)
  set(dnn_mpi_development libmpich-dev)
endif()
set(dnn_hdf5_development "")
if(DNN_HDF5)
  set(dnn_hdf5_development libhdf5-dev)
endif()

dnn_add_package(programs dnn-train "MPI-native trainer of dense neural networks"
"dnn_train trains dense neural networks (fully connected, ReLU) on a CPU
cluster, over MPI. It reads tables, NumPy, LIBSVM and IDX files, and learns
classes, several labels, numbers or distributions. The model is the same, bit
for bit, at any number of ranks.

This package has the programs dnn_train, dnn_predict, dnn_model, dnn_watch and
dnn_run, their man pages, completion for bash, an environment module, and
scripts for Slurm, PBS, LSF and Flux."
                ${dnn_mpi_runtime} python3)

dnn_add_package(library libdnn-train0 "trainer of dense neural networks for MPI programs - shared library"
"Trains dense neural networks within MPI programs in C++, C and Fortran: from
the samples that all ranks hold, or update by update from a running
simulation. The parameters do not depend on which rank holds which samples,
nor on the number of ranks.")

dnn_add_package(development libdnn-train-dev "trainer of dense neural networks for MPI programs - development files"
"Headers for C++ and C, the source of the Fortran module, the static library,
and files for CMake and pkg-config, to train dense neural networks within MPI
programs."
                "libdnn-train0 (= ${PROJECT_VERSION})" ${dnn_mpi_development} libboost-serialization-dev libfmt-dev libssl-dev zlib1g-dev
                libarchive-dev libdnnl-dev libhwloc-dev ${dnn_hdf5_development})
if(TARGET dnn_python)
  dnn_add_package(python python3-dnn-train "trainer of dense neural networks for MPI programs - Python"
"dnn_train.Trainer on NumPy arrays and communicators of mpi4py, and
DNNClassifier and DNNRegressor in the manner of scikit-learn (1.6 or later)."
                  python3 python3-numpy)
  set(CPACK_DEBIAN_PYTHON_PACKAGE_SUGGESTS "python3-mpi4py, python3-sklearn")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
endif()
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)

include(CPack)
