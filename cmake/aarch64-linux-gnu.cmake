# SPDX-License-Identifier: Apache-2.0
# For a 64-bit Arm Linux on a machine of another kind: cmake --toolchain cmake/aarch64-linux-gnu.cmake
# Needs Debian's crossbuild-essential-arm64 and the :arm64 libraries (dpkg --add-architecture arm64),
# and for tests qemu-user-static. tools/try_clean/cases.mjs has all of it in its case arm64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
find_program(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
