# SPDX-License-Identifier: Apache-2.0
# scan_rate measures the scanner (bench/scan_rate.c). Built where warnings are errors, so that it goes on
# compiling and ./check can count its instructions; else only by its name.
add_executable(scan_rate "${CMAKE_SOURCE_DIR}/bench/scan_rate.c")
target_link_libraries(scan_rate PRIVATE octolake_lake octolake_fake_github_core)
set_target_properties(scan_rate PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
if(NOT OCTOLAKE_WERROR)
	set_target_properties(scan_rate PROPERTIES EXCLUDE_FROM_ALL TRUE)
endif()
# In the tests of any preset, of what release-strict built: sanitizers would be counted too.
if(OCTOLAKE_TESTS)
	octolake_test(scan_instructions check 300 "${CMAKE_SOURCE_DIR}/bench/scan-instructions")
endif()
