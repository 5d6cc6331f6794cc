# How a layer, an embedded file and a program are built: one function each.

add_library(dnn_options INTERFACE)
target_include_directories(dnn_options INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_options(dnn_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                             -Wno-sign-conversion -Wno-missing-field-initializers -fno-math-errno
                                             -fno-trapping-math -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(dnn_options INTERFACE -Wno-restrict)  # false alarms (GCC bug 105651)
endif()
if(DNN_WERROR)
  target_compile_options(dnn_options INTERFACE -Werror)
endif()
if(DNN_SANITIZE)
  target_compile_options(dnn_options INTERFACE -fsanitize=${DNN_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(dnn_options INTERFACE -fsanitize=${DNN_SANITIZE})
  if(DNN_SANITIZE MATCHES undefined)
    target_compile_options(dnn_options INTERFACE -fno-sanitize-recover=undefined)
  endif()
endif()
if(DNN_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    message(FATAL_ERROR "DNN_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++. On Debian: apt-get install "
                        "clang libclang-rt-dev libomp-dev")
  endif()
  target_compile_options(dnn_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined
                                               -fno-sanitize-recover=undefined)
  target_compile_definitions(dnn_options INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(dnn_options INTERFACE -fsanitize=address,undefined)
endif()
if(DNN_TIDY)
  find_program(DNN_CLANG_TIDY NAMES clang-tidy)
  if(NOT DNN_CLANG_TIDY)
    message(FATAL_ERROR "clang-tidy was not found. On Debian: apt-get install clang-tidy")
  endif()
  # The commands are GCC's; clang does not know all of its warnings.
  set(CMAKE_CXX_CLANG_TIDY ${DNN_CLANG_TIDY} --quiet --extra-arg=-Wno-unknown-warning-option)
endif()

# dnn_add_layer(NAME [USES layers...] [EXTERNAL targets...])
# The static library dnn::NAME of all src/NAME/*.cpp.
function(dnn_add_layer name)
  cmake_parse_arguments(ARG "" "" "USES;EXTERNAL" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  add_library(dnn_layer_${name} STATIC ${sources})
  add_library(dnn::${name} ALIAS dnn_layer_${name})
  list(TRANSFORM ARG_USES PREPEND dnn::)
  target_link_libraries(dnn_layer_${name} PUBLIC dnn_options ${ARG_USES} ${ARG_EXTERNAL})
  # The shared library is made of the layers and shows nothing of them.
  set_target_properties(dnn_layer_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                                                     VISIBILITY_INLINES_HIDDEN ON)
  set_property(GLOBAL APPEND PROPERTY DNN_LAYERS dnn_layer_${name})
endfunction()

# dnn_embed_file(TARGET FILE NAME)
# Compiles FILE's bytes into TARGET as `extern const unsigned char NAME[]; extern const size_t NAME_size`.
function(dnn_embed_file target file name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${file})
  file(READ ${PROJECT_SOURCE_DIR}/${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  set(source ${PROJECT_BINARY_DIR}/embedded/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include <cstddef>
extern const unsigned char ${name}[];
extern const std::size_t ${name}_size;
const unsigned char ${name}[] = {
@bytes@};
const std::size_t ${name}_size = sizeof(${name});
" @ONLY)
  set_source_files_properties(${source} PROPERTIES SKIP_LINTING ON)
  target_sources(${target} PRIVATE ${source})
endfunction()

# dnn_add_program(NAME): the program of src/NAME.cpp, which uses run and comm only.
function(dnn_add_program name)
  add_executable(${name} ${PROJECT_SOURCE_DIR}/src/${name}.cpp)
  target_link_libraries(${name} PRIVATE dnn::run dnn::comm)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
endfunction()
