# SPDX-License-Identifier: Apache-2.0
# `cmake --install build/release --prefix P`: a tree that can be moved as a whole, because the binary
# finds its engine relative to itself. The default configuration is inside the binary; share/ has a
# copy to read and edit.
install(FILES "${duckdb_library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}/octolake")
file(GLOB config_files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/config/*.yaml")
if(config_files)
	install(FILES ${config_files} DESTINATION "${CMAKE_INSTALL_DATADIR}/octolake")
endif()
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
