# SPDX-License-Identifier: Apache-2.0
# Language, warnings, sanitizers, hardening: for every target of the project.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckPIESupported)

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()
# Asserts stay on in releases: CMake's own default would define NDEBUG.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
if(OCTOLAKE_SANITIZE)
	set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
else()
	set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
endif()

# The oldest ones that this was built with.
if((CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 11)
		OR (CMAKE_C_COMPILER_ID STREQUAL "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 13))
	message(FATAL_ERROR "gcc 11 or clang 13 or newer is needed, "
		"${CMAKE_C_COMPILER} is ${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}. "
		"This brings a newer one and starts with it:\n"
		"  sudo apt-get install -y clang-14 && CC=clang-14 ./run")
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
check_pie_supported()
add_compile_definitions(_GNU_SOURCE OCTOLAKE_VERSION="${PROJECT_VERSION}")

add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wvla -Wformat=2)
if(OCTOLAKE_WERROR)
	# A newer library that deprecates what an older one needs is no fault of the code.
	add_compile_options(-Werror -Wno-error=deprecated-declarations)
endif()

if(OCTOLAKE_SANITIZE)
	set(sanitize_flags -fsanitize=${OCTOLAKE_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	add_compile_options(${sanitize_flags})
	add_link_options(${sanitize_flags})
endif()

if(OCTOLAKE_FAILPOINTS)
	add_compile_definitions(OCTOLAKE_FAILPOINTS)
endif()
if(OCTOLAKE_FUZZ)
	# Everything is watched, not the targets alone: else the fuzzer is blind inside the libraries.
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(OCTOLAKE_HARDEN)
	# Level 3 needs a new enough pair of compiler and C library, which warns where it does not hold.
	set(CMAKE_REQUIRED_FLAGS "-O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
	check_c_source_compiles("#include <string.h>\nint main(void) { return 0; }" OCTOLAKE_FORTIFY_3)
	unset(CMAKE_REQUIRED_FLAGS)
	if(OCTOLAKE_FORTIFY_3)
		add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
	else()
		add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
	endif()
	add_compile_options(-fstack-protector-strong)
	check_c_compiler_flag(-fstack-clash-protection OCTOLAKE_STACK_CLASH)
	check_c_compiler_flag(-fcf-protection OCTOLAKE_CF_PROTECTION)
	check_c_compiler_flag(-mbranch-protection=standard OCTOLAKE_BRANCH_PROTECTION)
	if(OCTOLAKE_STACK_CLASH)
		add_compile_options(-fstack-clash-protection)
	endif()
	if(OCTOLAKE_CF_PROTECTION)
		add_compile_options(-fcf-protection)
	elseif(OCTOLAKE_BRANCH_PROTECTION)
		add_compile_options(-mbranch-protection=standard)
	endif()
	add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# ccache fails where it cannot write its folder (a read-only home), and the build must not.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
	set(ccache_probe "${CMAKE_BINARY_DIR}/ccache_probe")
	file(WRITE "${ccache_probe}.c" "int probe;\n")
	execute_process(
		COMMAND "${CCACHE_PROGRAM}" "${CMAKE_C_COMPILER}" -c -o "${ccache_probe}.o" "${ccache_probe}.c"
		RESULT_VARIABLE ccache_result OUTPUT_QUIET ERROR_QUIET)
	if(ccache_result EQUAL 0)
		set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
	endif()
endif()
