# SPDX-License-Identifier: Apache-2.0
# Everything that is not ours, and one message that names all that is missing and the command that
# brings it. Defines octolake_wrapped_libraries (what src/wrap wraps), PkgConfig::zlib,
# PkgConfig::jansson, PkgConfig::cmocka and duckdb::duckdb.
set(missing_packages)
set(missing_commands)

find_package(Threads REQUIRED)
find_package(PkgConfig)
if(NOT PkgConfig_FOUND)
	message(FATAL_ERROR "pkg-config is missing: run ./run --build-only, or apt-get install pkg-config")
endif()

macro(octolake_find_library module package)
	string(REGEX REPLACE "[^a-z0-9]" "_" prefix "${module}")
	pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${module})
	if(NOT ${prefix}_FOUND)
		list(APPEND missing_packages ${package})
	endif()
endmacro()

octolake_find_library(libcurl libcurl4-openssl-dev)
octolake_find_library(libmicrohttpd libmicrohttpd-dev)
octolake_find_library(sqlite3 libsqlite3-dev)
octolake_find_library(yaml-0.1 libyaml-dev)
octolake_find_library(jansson libjansson-dev)
octolake_find_library(libzstd libzstd-dev)
octolake_find_library(libcrypto libssl-dev)
octolake_find_library(zlib zlib1g-dev)
octolake_find_library(libisal libisal-dev)
if(OCTOLAKE_TESTS)
	octolake_find_library(cmocka libcmocka-dev)
endif()

if(NOT EXISTS "${NODE_PROGRAM}")
	unset(NODE_PROGRAM CACHE) # one that an upgrade has moved
endif()
find_program(NODE_PROGRAM NAMES node nodejs)
if(NOT NODE_PROGRAM)
	list(APPEND missing_packages npm)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
	set(duckdb_platform linux-x64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
	set(duckdb_platform linux-arm64)
else()
	message(FATAL_ERROR "DuckDB has no npm package for ${CMAKE_SYSTEM_PROCESSOR}: x86_64 or aarch64 is needed")
endif()
set(duckdb_library
	"${CMAKE_SOURCE_DIR}/node_modules/@duckdb/node-bindings-${duckdb_platform}/libduckdb.so")
set(duckdb_include "${CMAKE_SOURCE_DIR}/.deps/duckdb")
set(missing_files)
foreach(file "${duckdb_library}" "${duckdb_include}/duckdb.h"
		"${CMAKE_SOURCE_DIR}/node_modules/esbuild/bin/esbuild")
	if(NOT EXISTS "${file}")
		file(RELATIVE_PATH file "${CMAKE_SOURCE_DIR}" "${file}")
		string(APPEND missing_files "\n    ${file}")
	endif()
endforeach()

if(missing_packages OR missing_files)
	set(text "Something that Octolake is built with is missing. `./run --build-only` installs all of it. By hand:")
	if(missing_packages)
		list(JOIN missing_packages " " missing_packages)
		string(APPEND text "\n  system packages: apt-get install --no-install-recommends ${missing_packages}")
	endif()
	if(missing_files)
		string(APPEND text "\n  files from npm: run tools/fetch_dependencies, which brings${missing_files}")
	endif()
	message(FATAL_ERROR "${text}")
endif()

add_library(duckdb::duckdb SHARED IMPORTED GLOBAL)
set_target_properties(duckdb::duckdb PROPERTIES
	IMPORTED_LOCATION "${duckdb_library}"
	IMPORTED_SONAME libduckdb.so
	INTERFACE_INCLUDE_DIRECTORIES "${duckdb_include}")

set(octolake_wrapped_libraries duckdb::duckdb PkgConfig::libcurl PkgConfig::libmicrohttpd
	PkgConfig::sqlite3 PkgConfig::yaml_0_1 PkgConfig::jansson PkgConfig::libzstd PkgConfig::libcrypto
	PkgConfig::zlib PkgConfig::libisal)
