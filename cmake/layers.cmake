# SPDX-License-Identifier: Apache-2.0
# octolake_layer(NAME [USES LAYER...] [SOURCES FILE...] [LIBRARIES TARGET...])
# The static library octolake_NAME of src/NAME/**.c and SOURCES. USES are layers below, visible to
# whoever links it; LIBRARIES are third parties, whose headers stay invisible above.
# A folder without sources is an empty INTERFACE library, so that others can name it.
function(octolake_layer name)
	cmake_parse_arguments(arg "" "" "USES;SOURCES;LIBRARIES" ${ARGN})
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.c")
	list(APPEND sources ${arg_SOURCES})
	list(TRANSFORM arg_USES PREPEND octolake_)
	if(sources)
		add_library(octolake_${name} STATIC ${sources})
		target_include_directories(octolake_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
		target_link_libraries(octolake_${name} PUBLIC ${arg_USES} PRIVATE ${arg_LIBRARIES})
	else()
		add_library(octolake_${name} INTERFACE)
		target_include_directories(octolake_${name} INTERFACE "${CMAKE_SOURCE_DIR}/src")
		target_link_libraries(octolake_${name} INTERFACE ${arg_USES} ${arg_LIBRARIES})
	endif()
endfunction()
