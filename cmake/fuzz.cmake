# SPDX-License-Identifier: Apache-2.0
# Fuzz targets, one per tests/fuzz/NAME_fuzz.c, with libFuzzer: clang only.
#   cmake --preset asan-clang -DOCTOLAKE_FUZZ=ON && ninja -C build/asan-clang fuzz_scan
#   build/asan-clang/tests/fuzz_scan -max_total_time=60 CORPUS_FOLDER
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c")
foreach(source IN LISTS fuzz_sources)
	cmake_path(GET source STEM name)
	string(REGEX REPLACE "_fuzz$" "" name "${name}")
	add_executable(fuzz_${name} "${source}")
	target_include_directories(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}")
	target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
	target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
	target_link_libraries(fuzz_${name} PRIVATE octolake_lake)
	set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
endforeach()
