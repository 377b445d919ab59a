# Programs, manual pages and completions. The programs find libraries in ../lib first, so that a bundle
# (scripts/bundle) works wherever it is unpacked.
include(GNUInstallDirs)
get_property(lm_tool_names GLOBAL PROPERTY LM_TOOL_NAMES)
foreach(tool ${lm_tool_names})
  set_target_properties(${tool} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
  # RPATH, not RUNPATH: it also holds for the libraries that the libraries need.
  target_link_options(${tool} PRIVATE -Wl,--disable-new-dtags)
endforeach()
if(lm_tool_names)
  install(TARGETS ${lm_tool_names} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/man/*.1)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_SOURCE_DIR}/man/lm-tools.7 ${CMAKE_SOURCE_DIR}/man/lm-curation.7
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)

# Completions come from the programs' own option tables.
set(completions ${CMAKE_BINARY_DIR}/completions)
set(made "")
foreach(tool ${lm_tool_names})
  add_custom_command(
    OUTPUT ${completions}/bash/${tool} ${completions}/zsh/_${tool} ${completions}/fish/${tool}.fish
    COMMAND ${CMAKE_COMMAND} -E make_directory ${completions}/bash ${completions}/zsh ${completions}/fish
    COMMAND ${tool} --generate bash > ${completions}/bash/${tool}
    COMMAND ${tool} --generate zsh > ${completions}/zsh/_${tool}
    COMMAND ${tool} --generate fish > ${completions}/fish/${tool}.fish
    DEPENDS ${tool} VERBATIM)
  list(APPEND made ${completions}/bash/${tool})
endforeach()
add_custom_target(completions ALL DEPENDS ${made})
install(DIRECTORY ${completions}/bash/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(DIRECTORY ${completions}/zsh/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(DIRECTORY ${completions}/fish/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
