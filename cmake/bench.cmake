# SPDX-License-Identifier: Apache-2.0
# What bench/ measures with, in BUILD/bench: the target octolake_bench. Built with the tests, so that it goes
# on compiling; else only when asked for. bare_inflate needs ISA-L and is left out without it.
file(GLOB bench_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/bench/programs/*.c")
pkg_check_modules(bench_isal QUIET IMPORTED_TARGET libisal)
add_custom_target(octolake_bench)
foreach(source IN LISTS bench_sources)
	cmake_path(GET source STEM name)
	if(name STREQUAL bare_inflate AND NOT bench_isal_FOUND)
		continue()
	endif()
	add_executable(bench_${name} EXCLUDE_FROM_ALL "${source}")
	# No more than each needs: what is linked counts in its memory.
	if(name STREQUAL bare_inflate)
		target_link_libraries(bench_${name} PRIVATE PkgConfig::bench_isal)
	elseif(name STREQUAL duck_rival)
		target_link_libraries(bench_${name} PRIVATE octolake_wrap)
	else()
		target_link_libraries(bench_${name} PRIVATE octolake_base)
	endif()
	set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name}
		RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
	if(OCTOLAKE_TESTS)
		set_target_properties(bench_${name} PROPERTIES EXCLUDE_FROM_ALL FALSE)
	endif()
	add_dependencies(octolake_bench bench_${name})
endforeach()
add_dependencies(octolake_bench octolake-make-hours)
