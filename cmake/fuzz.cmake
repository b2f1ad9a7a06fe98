# SPDX-License-Identifier: Apache-2.0
# Fuzz targets, one per tests/fuzz/NAME_fuzz.c, as fuzz_NAME: with OCTOLAKE_FUZZ (clang) a libFuzzer
# program, which tools/fuzz runs; else a program that replays tests/fuzz/corpus/NAME and
# tests/fuzz/regression/NAME with some mutations of each, which ctest runs as fuzz_NAME.
# A target may include .c files to reach what is static in them, hence the third parties' headers.
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c")
foreach(source IN LISTS fuzz_sources)
	cmake_path(GET source STEM name)
	string(REGEX REPLACE "_fuzz$" "" name "${name}")
	add_executable(fuzz_${name} "${source}")
	target_include_directories(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}")
	target_link_libraries(fuzz_${name} PRIVATE octolake_app PkgConfig::jansson PkgConfig::libcurl PkgConfig::zlib)
	set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	if(OCTOLAKE_FUZZ)
		target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
		continue()
	endif()
	target_sources(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c")
	octolake_test(fuzz_${name} fuzz 120 "${CMAKE_BINARY_DIR}/tests/fuzz_${name}"
		"${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}" "${CMAKE_SOURCE_DIR}/tests/fuzz/regression/${name}")
endforeach()
