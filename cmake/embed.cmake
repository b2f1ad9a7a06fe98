# SPDX-License-Identifier: Apache-2.0
# octolake_embed(TABLE name BASE folder OUTPUT variable [FILES file...] [GLOB pattern...])
# Generates a C file that defines the table `name` of src/base/embedded.h with the bytes of the files,
# each named by its path below BASE, and puts the C file's path into `variable`. The bytes come in
# by the assembler's .incbin: a megabyte costs nothing to compile. An edit, a new file and a removed
# file each lead to a new table.
set(octolake_embed_generator "${CMAKE_CURRENT_LIST_DIR}/embed_generate.cmake")

function(octolake_embed)
	cmake_parse_arguments(arg "" "TABLE;BASE;OUTPUT" "FILES;GLOB" ${ARGN})
	cmake_path(ABSOLUTE_PATH arg_BASE BASE_DIRECTORY "${CMAKE_SOURCE_DIR}")
	set(files ${arg_FILES})
	if(arg_GLOB)
		list(TRANSFORM arg_GLOB PREPEND "${CMAKE_SOURCE_DIR}/")
		file(GLOB found CONFIGURE_DEPENDS ${arg_GLOB})
		list(APPEND files ${found})
	endif()
	set(source "${CMAKE_BINARY_DIR}/embedded/${arg_TABLE}.c")
	set(list_file "${CMAKE_BINARY_DIR}/embedded/${arg_TABLE}.list")
	file(CONFIGURE OUTPUT "${list_file}" CONTENT "${files}" @ONLY)
	add_custom_command(OUTPUT "${source}"
		COMMAND "${CMAKE_COMMAND}" "-DTABLE=${arg_TABLE}" "-DBASE=${arg_BASE}"
			"-DLIST=${list_file}" "-DOUTPUT=${source}" -P "${octolake_embed_generator}"
		DEPENDS ${files} "${list_file}" "${octolake_embed_generator}"
		COMMENT "Embedding ${arg_TABLE}"
		VERBATIM)
	set(${arg_OUTPUT} "${source}" PARENT_SCOPE)
endfunction()
