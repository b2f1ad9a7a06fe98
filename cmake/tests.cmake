# SPDX-License-Identifier: Apache-2.0
# Every test is found by its name:
#   tests/unit/LAYER/NAME_test.c   unit_LAYER_NAME_test, linked to octolake_LAYER and what is below
#   tests/golden/NAME_test.c       golden_NAME_test, linked to everything
#   tests/system/NAME.test.ts      system_NAME, Node's test runner against the built programs
#   tests/browser/NAME.test.ts     browser_NAME, likewise with Chromium
#   tests/torture/*.c              torture_failpoints, one program
#   tests/unit/tools/NAME.test.mjs unit_tools_NAME, for the scripts in tools/
# A program that leaves with 77 is reported as skipped, not as passed.
set(octolake_test_environment
	"ASAN_OPTIONS=allow_user_segv_handler=0:detect_leaks=1:detect_stack_use_after_return=1"
	"UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
	"TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.suppressions"
	"OCTOLAKE_BIN=${CMAKE_BINARY_DIR}/octolake"
	"OCTOLAKE_FAKE=${CMAKE_BINARY_DIR}/octolake-fake-github"
	"OCTOLAKE_SOURCE_DIR=${CMAKE_SOURCE_DIR}"
	"OCTOLAKE_BUILD_DIR=${CMAKE_BINARY_DIR}")
find_program(CHROMIUM_PROGRAM NAMES chromium google-chrome-stable google-chrome chromium-browser)
if(CHROMIUM_PROGRAM)
	list(APPEND octolake_test_environment "OCTOLAKE_CHROMIUM=${CHROMIUM_PROGRAM}")
endif()

# OCTOLAKE_TIMEOUT_FACTOR in the environment: all time limits of tests so many times longer.
set(octolake_timeout_factor 1)
if("$ENV{OCTOLAKE_TIMEOUT_FACTOR}" MATCHES "^[1-9][0-9]*$")
	set(octolake_timeout_factor "$ENV{OCTOLAKE_TIMEOUT_FACTOR}")
endif()

function(octolake_test name label timeout_seconds)
	math(EXPR timeout_seconds "${timeout_seconds} * ${octolake_timeout_factor}")
	add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}")
	set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout_seconds}
		SKIP_RETURN_CODE 77 ENVIRONMENT "${octolake_test_environment}")
endfunction()

file(GLOB support_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/support/*.c")
add_library(octolake_test_support STATIC ${support_sources})
target_include_directories(octolake_test_support PUBLIC "${CMAKE_SOURCE_DIR}")
target_link_libraries(octolake_test_support PUBLIC octolake_base PkgConfig::cmocka)

# Programs that tests of the built system run: OCTOLAKE_BUILD_DIR/tests/NAME.
file(GLOB program_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/programs/*.c")
foreach(source IN LISTS program_sources)
	cmake_path(GET source STEM name)
	add_executable(${name} "${source}")
	target_link_libraries(${name} PRIVATE octolake_wrap)
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
endforeach()

function(octolake_c_test name label timeout_seconds source library)
	add_executable(${name} "${source}")
	target_link_libraries(${name} PRIVATE ${library} octolake_test_support)
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	octolake_test(${name} ${label} ${timeout_seconds} ${name})
endfunction()

file(GLOB unit_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/*/*_test.c")
foreach(source IN LISTS unit_sources)
	cmake_path(GET source PARENT_PATH folder)
	cmake_path(GET folder FILENAME folder)
	cmake_path(GET source STEM name)
	set(library octolake_${folder})
	if(folder STREQUAL tools)
		set(library octolake_make_hours_core)
	endif()
	if(NOT TARGET ${library})
		message(WARNING "${source}: there is no library ${library} yet, so this test is left out")
		continue()
	endif()
	octolake_c_test(unit_${folder}_${name} unit 120 "${source}" ${library})
endforeach()
# Reads the generator's events.
target_link_libraries(unit_lake_scan_variant_test PRIVATE octolake_fake_github_core)

file(GLOB golden_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/golden/*_test.c")
foreach(source IN LISTS golden_sources)
	cmake_path(GET source STEM name)
	octolake_c_test(golden_${name} golden 300 "${source}" octolake_app)
endforeach()

# Killed at a quarter of the failpoints once, which one is chance; tools/failpoint-marathon kills at all, many
# times.
if(OCTOLAKE_FAILPOINTS)
	file(GLOB torture_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/torture/*.c")
	add_executable(torture ${torture_sources})
	target_include_directories(torture PRIVATE "${CMAKE_SOURCE_DIR}")
	target_link_libraries(torture PRIVATE octolake_app)
	set_target_properties(torture PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	octolake_test(torture_failpoints torture 600 torture --kills 1 --parts 4)
endif()

# The scripts are bundled here because Debian 12's Node cannot read TypeScript by itself.
set(script_outputs)
file(GLOB_RECURSE script_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/support/*.ts"
	"${CMAKE_SOURCE_DIR}/tests/system/*.ts" "${CMAKE_SOURCE_DIR}/tests/browser/*.ts")
function(octolake_script_tests label timeout_seconds)
	file(GLOB scripts CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${label}/*.test.ts")
	foreach(script IN LISTS scripts)
		cmake_path(GET script STEM name)
		set(output "${CMAKE_BINARY_DIR}/tests/${label}/${name}.test.mjs")
		add_custom_command(OUTPUT "${output}"
			COMMAND "${NODE_PROGRAM}" "${CMAKE_SOURCE_DIR}/node_modules/esbuild/bin/esbuild" "${script}"
				--bundle --platform=node --target=node18 --format=esm --packages=external
				--sourcemap=inline --log-level=warning "--outfile=${output}"
			DEPENDS ${script_sources}
			WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
			COMMENT "Bundling ${label} test ${name}"
			VERBATIM)
		list(APPEND script_outputs "${output}")
		octolake_test(${label}_${name} ${label} ${timeout_seconds} "${NODE_PROGRAM}"
			--enable-source-maps --test "${output}")
		# Two servers under sanitizers and their clock: beside another test they would only be slow. Not so
		# those that look at files and not at times.
		if(NOT name MATCHES "^(container|damage|doctor|fault_sweep|gold_trial|import|import_hours|install|parquet_reader|power_loss|retention|seed_form)$")
			set_tests_properties(${label}_${name} PROPERTIES RUN_SERIAL TRUE)
		endif()
	endforeach()
	set(script_outputs ${script_outputs} PARENT_SCOPE)
endfunction()
octolake_script_tests(system 600)
octolake_script_tests(browser 300)
if(script_outputs)
	add_custom_target(octolake_test_scripts ALL DEPENDS ${script_outputs})
endif()

octolake_test(layers check 60 "${CMAKE_SOURCE_DIR}/tools/check_layers")
foreach(folder web tests)
	if(EXISTS "${CMAKE_SOURCE_DIR}/${folder}/tsconfig.json")
		octolake_test(types_${folder} check 120 "${NODE_PROGRAM}"
			"${CMAKE_SOURCE_DIR}/node_modules/typescript/bin/tsc" --noEmit
			-p "${CMAKE_SOURCE_DIR}/${folder}")
	endif()
endforeach()
file(GLOB tool_scripts CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/tools/*.test.mjs")
foreach(script IN LISTS tool_scripts)
	cmake_path(GET script STEM name)
	octolake_test(unit_tools_${name} unit 60 "${NODE_PROGRAM}" --test "${script}")
endforeach()

# Scripts find npm packages by walking up from where they lie, which a build folder elsewhere cuts.
cmake_path(IS_PREFIX CMAKE_SOURCE_DIR "${CMAKE_BINARY_DIR}" build_is_inside)
if(NOT build_is_inside)
	file(CREATE_LINK "${CMAKE_SOURCE_DIR}/node_modules" "${CMAKE_BINARY_DIR}/node_modules" SYMBOLIC)
endif()
