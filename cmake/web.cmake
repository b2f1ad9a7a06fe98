# SPDX-License-Identifier: Apache-2.0
# The dashboard: `node web/build.mjs OUTDIR` writes index.html, app.js and app.css into OUTDIR.
# Defines octolake_web_dir and octolake_web_files (empty while there is no web/src/main.ts).
set(octolake_web_dir "${CMAKE_BINARY_DIR}/web")
set(octolake_web_files)
if(EXISTS "${CMAKE_SOURCE_DIR}/web/src/main.ts" AND EXISTS "${CMAKE_SOURCE_DIR}/web/build.mjs")
	foreach(name app.css app.js index.html)
		list(APPEND octolake_web_files "${octolake_web_dir}/${name}")
	endforeach()
	file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/web/src/*")
	add_custom_command(OUTPUT ${octolake_web_files}
		COMMAND "${NODE_PROGRAM}" "${CMAKE_SOURCE_DIR}/web/build.mjs" "${octolake_web_dir}"
		DEPENDS ${web_sources} "${CMAKE_SOURCE_DIR}/web/build.mjs" "${CMAKE_SOURCE_DIR}/web/index.html" "${CMAKE_SOURCE_DIR}/package-lock.json"
		WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
		COMMENT "Bundling the dashboard"
		VERBATIM)
endif()
