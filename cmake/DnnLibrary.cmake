# The library for other programs: all layers in one static and one shared library, with the public headers that lie
# in include/dnn itself. dnn_train::dnn_train is the shared one, dnn_train::static the other.

get_property(layers GLOBAL PROPERTY DNN_LAYERS)
list(REMOVE_ITEM layers dnn_layer_run dnn_layer_watch dnn_layer_predict)  # the programs' alone
set(objects ${layers})
list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")

# What the layers need besides each other; the headers show nothing of it but MPI.
set(needed Boost::serialization fmt::fmt OpenSSL::Crypto ZLIB::ZLIB LibArchive::LibArchive dnn::onednn dnn::hwloc
           OpenMP::OpenMP_CXX Threads::Threads)
if(DNN_HDF5)
  list(APPEND needed dnn::hdf5)
endif()

foreach(kind shared static)
  string(TOUPPER ${kind} type)
  add_library(dnn_train_${kind} ${type} ${objects})
  set_target_properties(dnn_train_${kind} PROPERTIES OUTPUT_NAME dnn_train EXPORT_NAME ${kind})
  target_include_directories(dnn_train_${kind} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
                                                         $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
  # The package's own file links MPI for the languages of the project that uses it.
  target_link_libraries(dnn_train_${kind} PUBLIC $<BUILD_INTERFACE:MPI::MPI_CXX> PRIVATE $<BUILD_INTERFACE:dnn_options>)
endforeach()
file(STRINGS ${PROJECT_SOURCE_DIR}/include/dnn/dnn_train.h abi REGEX "define DNN_TRAIN_ABI_VERSION")
string(REGEX MATCH "[0-9]+" abi "${abi}")
set_target_properties(dnn_train_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${abi}
                                                  EXPORT_NAME dnn_train)
target_link_libraries(dnn_train_shared PRIVATE $<BUILD_INTERFACE:${needed}>)
target_link_options(dnn_train_shared PRIVATE -Wl,--no-undefined
                                             -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/dnn_train.map)
set_property(TARGET dnn_train_shared APPEND PROPERTY LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/dnn_train.map)
add_library(dnn_train::dnn_train ALIAS dnn_train_shared)

# Programs that link the static library need these by name.
set(DNN_STATIC_LIBRARIES boost_serialization fmt crypto z archive dnnl hwloc ${OpenMP_CXX_LIB_NAMES})
list(REMOVE_DUPLICATES DNN_STATIC_LIBRARIES)
if(DNN_HDF5)
  cmake_path(GET DNN_HDF5_LIBRARY STEM hdf5_name)  # Debian's is called hdf5_serial
  string(REGEX REPLACE "^lib" "" hdf5_name ${hdf5_name})
  list(APPEND DNN_STATIC_LIBRARIES ${hdf5_name})
endif()
target_link_libraries(dnn_train_static INTERFACE $<INSTALL_INTERFACE:${DNN_STATIC_LIBRARIES}>)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/dnn_train)
install(TARGETS dnn_train_shared EXPORT dnn_train LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
                                                  NAMELINK_COMPONENT development)
install(TARGETS dnn_train_static EXPORT dnn_train ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/include/dnn/dnn_train.hpp ${PROJECT_SOURCE_DIR}/include/dnn/dnn_train.h
              ${PROJECT_SOURCE_DIR}/src/library/dnn_train.f90
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dnn COMPONENT development)
install(EXPORT dnn_train NAMESPACE dnn_train:: FILE dnn_train-targets.cmake DESTINATION ${package}
        COMPONENT development)
include(CMakePackageConfigHelpers)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/dnn_train-config.cmake @ONLY CONTENT
[[# dnn_train::dnn_train, a library for programs of MPI: the shared library. dnn_train::static is the static one.
# dnn_train::fortran, where the project has the language Fortran, is the module dnn_train for `use`: its source
# compiles within the target that links it, since each compiler has modules of its own form.
include(CMakeFindDependencyMacro)
include(${CMAKE_CURRENT_LIST_DIR}/dnn_train-targets.cmake)
get_property(dnn_train_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
foreach(dnn_train_language C CXX)
  if(${dnn_train_language} IN_LIST dnn_train_languages)
    find_dependency(MPI COMPONENTS ${dnn_train_language})
    foreach(dnn_train_target dnn_train::dnn_train dnn_train::static)
      set_property(TARGET ${dnn_train_target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES MPI::MPI_${dnn_train_language})
    endforeach()
  endif()
endforeach()
if("Fortran" IN_LIST dnn_train_languages AND NOT TARGET dnn_train::fortran)
  find_dependency(MPI COMPONENTS Fortran)
  get_target_property(dnn_train_headers dnn_train::dnn_train INTERFACE_INCLUDE_DIRECTORIES)
  add_library(dnn_train::fortran INTERFACE IMPORTED)
  set_target_properties(dnn_train::fortran PROPERTIES
                        INTERFACE_SOURCES ${dnn_train_headers}/dnn/dnn_train.f90
                        INTERFACE_LINK_LIBRARIES "dnn_train::dnn_train;MPI::MPI_Fortran")
endif()
]])
write_basic_package_version_file(${PROJECT_BINARY_DIR}/dnn_train-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/dnn_train-config.cmake ${PROJECT_BINARY_DIR}/dnn_train-config-version.cmake
        DESTINATION ${package} COMPONENT development)

# pkg-config's file says where it lies itself, so that the installed tree can be moved.
file(RELATIVE_PATH dnn_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
list(TRANSFORM DNN_STATIC_LIBRARIES PREPEND -l OUTPUT_VARIABLE static_libraries)
list(JOIN static_libraries " " static_libraries)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/dnn_train.pc @ONLY CONTENT
[[prefix=${pcfiledir}/@dnn_prefix@
libdir=${pcfiledir}/..
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
fortran=${includedir}/dnn/dnn_train.f90

Name: dnn_train
Description: @PROJECT_DESCRIPTION@, as a library; compile and link with MPI's mpicxx or mpicc
Version: @PROJECT_VERSION@
Libs: -L${libdir} -ldnn_train
Libs.private: @static_libraries@ -lstdc++ -lm
Cflags: -I${includedir}
]])
install(FILES ${PROJECT_BINARY_DIR}/dnn_train.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
