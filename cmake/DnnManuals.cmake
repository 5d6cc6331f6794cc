# Man pages and completions for bash, both made of what the programs say of themselves: `--help` and `--bash-completion`.

find_program(DNN_HELP2MAN help2man)
find_program(DNN_GZIP gzip)
find_program(DNN_SCRIPT_PYTHON python3)
add_custom_target(dnn_manuals ALL)
if(CMAKE_CROSSCOMPILING)
  message(STATUS "No man pages and completions: programs for another system cannot be run here")
elseif(NOT DNN_HELP2MAN OR NOT DNN_GZIP)
  message(STATUS "No man pages: help2man or gzip was not found. On Debian: apt-get install help2man gzip")
endif()

# dnn_add_manual(PROGRAM ABOUT [HELP_OPTION]): installs man1/PROGRAM.1.gz and the completion of PROGRAM, a target or a
# script of launch. ABOUT: its purpose, in half a line. HELP_OPTION: what prints all of its options, if not --help.
function(dnn_add_manual program about)
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(help_option ${ARGN})
  list(APPEND help_option --help)
  list(GET help_option 0 help_option)
  if(TARGET ${program})
    set(command $<TARGET_FILE:${program}>)
    set(folder $<TARGET_FILE_DIR:${program}>)
  elseif(DNN_SCRIPT_PYTHON)
    set(command ${PROJECT_SOURCE_DIR}/launch/${program})
    set(folder ${PROJECT_SOURCE_DIR}/launch)
  else()
    message(STATUS "No man page and completion of ${program}: python3 was not found. On Debian: apt-get install python3")
    return()
  endif()
  set(environment ${CMAKE_COMMAND} -E env)
  if(DNN_SANITIZE)
    list(APPEND environment ASAN_OPTIONS=detect_leaks=0)  # of the libraries
  endif()

  set(completion ${PROJECT_BINARY_DIR}/completions/${program})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/completions)
  add_custom_command(OUTPUT ${completion} COMMAND ${environment} ${command} --bash-completion > ${completion}
                     DEPENDS ${command} VERBATIM)
  set(made ${completion})
  install(FILES ${completion} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT programs)

  if(DNN_HELP2MAN AND DNN_GZIP)
    set(page ${PROJECT_BINARY_DIR}/man/${program}.1)
    set(sections ${PROJECT_SOURCE_DIR}/cmake/packages/manual_sections)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man)
    # help2man gives the program's path to a shell as it is, so it gets one without surprises.
    add_custom_command(OUTPUT ${page}.gz WORKING_DIRECTORY ${folder}
                       COMMAND ${environment} ${DNN_HELP2MAN} --no-info --section=1 --name=${about}
                               --version-string=${PROJECT_VERSION} --help-option=${help_option} --include=${sections}
                               --output=${page} ./${program}
                       COMMAND ${DNN_GZIP} -9nf ${page}
                       DEPENDS ${command} ${sections} VERBATIM)
    list(APPEND made ${page}.gz)
    install(FILES ${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT programs)
  endif()
  add_custom_target(dnn_manual_of_${program} DEPENDS ${made})
  add_dependencies(dnn_manuals dnn_manual_of_${program})
endfunction()
