# SPDX-License-Identifier: Apache-2.0
# octolake-make-hours: made-up hours of GH Archive for tests and benchmarks. It is no part of what is
# installed, and built only with the tests or when it is asked for by name.
file(GLOB make_hours_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tools/make_hours/*.c")
list(REMOVE_ITEM make_hours_sources "${CMAKE_SOURCE_DIR}/tools/make_hours/main.c")
add_library(octolake_make_hours_core STATIC EXCLUDE_FROM_ALL ${make_hours_sources})
target_link_libraries(octolake_make_hours_core PUBLIC octolake_fake_github_core PRIVATE PkgConfig::zlib)
add_executable(octolake-make-hours EXCLUDE_FROM_ALL tools/make_hours/main.c)
target_link_libraries(octolake-make-hours PRIVATE octolake_make_hours_core)
if(OCTOLAKE_TESTS)
	set_target_properties(octolake-make-hours PROPERTIES EXCLUDE_FROM_ALL FALSE)
endif()
