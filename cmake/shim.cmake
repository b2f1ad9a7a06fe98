# SPDX-License-Identifier: Apache-2.0
# Libraries that tests put in front of the C library (tests/support/shim/shim.h). Never sanitized: they
# must load before a sanitizer does.
set(shim_folder "${CMAKE_SOURCE_DIR}/tests/support/shim")
function(octolake_shim name)
	list(TRANSFORM ARGN PREPEND "${shim_folder}/")
	add_library(${name} SHARED ${ARGN})
	target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
	target_link_libraries(${name} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
	target_compile_options(${name} PRIVATE -fvisibility=hidden -fno-sanitize=all $<$<C_COMPILER_ID:GNU>:-Wno-nonnull-compare>
		"SHELL:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0")
	target_link_options(${name} PRIVATE -fno-sanitize=all)
	set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
endfunction()
octolake_shim(octolake_shim shim_real.c shim_state.c shim_fault.c shim_names.c shim_content.c)
octolake_shim(octolake_shim_memory shim_memory.c shim_fault.c)
octolake_shim(octolake_shim_time shim_time.c shim_real.c)

# Opens what a power failure may have left (tests/power_loss/power_loss_check.c); tests/system/ drives it.
file(GLOB power_loss_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/power_loss/*.c")
add_executable(power_loss_check ${power_loss_sources})
target_include_directories(power_loss_check PRIVATE "${CMAKE_SOURCE_DIR}")
target_link_libraries(power_loss_check PRIVATE octolake_app)
set_target_properties(power_loss_check PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
