# The Python package in python/dnn_train of the build folder; `pip install .` (see pyproject.toml) installs the same.
set(PYBIND11_FINDPYTHON ON)
if(DNN_TESTS AND NOT DEFINED Python_EXECUTABLE)
  set(Python_EXECUTABLE ${DNN_PYTHON})  # the tests' own
endif()
find_package(pybind11 CONFIG QUIET)
if(NOT pybind11_FOUND)
  message(FATAL_ERROR "pybind11 was not found. On Debian: apt-get install pybind11-dev python3-dev")
endif()
pybind11_add_module(dnn_python NO_EXTRAS ${PROJECT_SOURCE_DIR}/src/python/module.cpp)
set_target_properties(dnn_python PROPERTIES OUTPUT_NAME _core
                                            LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/python/dnn_train)
target_link_libraries(dnn_python PRIVATE dnn::library MPI::MPI_CXX)
foreach(file __init__.py estimators.py)
  configure_file(${PROJECT_SOURCE_DIR}/src/python/dnn_train/${file} ${PROJECT_BINARY_DIR}/python/dnn_train/${file}
                 COPYONLY)
endforeach()
if(SKBUILD)  # pip, which installs the other files itself
  install(TARGETS dnn_python LIBRARY DESTINATION dnn_train COMPONENT python)
else()
  install(TARGETS dnn_python LIBRARY DESTINATION lib/python3/dist-packages/dnn_train COMPONENT python)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/python/dnn_train/ DESTINATION lib/python3/dist-packages/dnn_train
          COMPONENT python FILES_MATCHING PATTERN *.py)
endif()
