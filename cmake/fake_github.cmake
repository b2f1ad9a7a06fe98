# SPDX-License-Identifier: Apache-2.0
# octolake-fake-github, and its parts as a library for their unit tests.
file(GLOB fake_github_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tools/fake_github/*.c")
list(REMOVE_ITEM fake_github_sources "${CMAKE_SOURCE_DIR}/tools/fake_github/main.c")
if(fake_github_sources)
	add_library(octolake_fake_github_core STATIC ${fake_github_sources})
	target_include_directories(octolake_fake_github_core PUBLIC "${CMAKE_SOURCE_DIR}/tools")
	target_link_libraries(octolake_fake_github_core PUBLIC octolake_base
		PkgConfig::jansson PkgConfig::zlib)
endif()
if(TARGET octolake_fake_github_core AND EXISTS "${CMAKE_SOURCE_DIR}/tools/fake_github/main.c")
	add_executable(octolake-fake-github tools/fake_github/main.c)
	target_link_libraries(octolake-fake-github PRIVATE octolake_fake_github_core)
	install(TARGETS octolake-fake-github RUNTIME)
endif()
