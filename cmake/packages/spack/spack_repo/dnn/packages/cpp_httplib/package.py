# SPDX-License-Identifier: MIT
"""cpp-httplib as a library with TLS, as Debian builds it; Spack's own recipe has versions of headers alone."""

from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class CppHttplib(CMakePackage):
    """HTTP server and client library for C++."""

    homepage = "https://github.com/yhirose/cpp-httplib"
    git = "https://github.com/yhirose/cpp-httplib.git"

    license("MIT")

    version("0.11.4", tag="v0.11.4")

    depends_on("cxx", type="build")
    depends_on("cmake@3.14:", type="build")
    depends_on("python", type="build")
    depends_on("openssl@1.1.1:")

    def cmake_args(self):
        return [
            self.define("HTTPLIB_COMPILE", True),
            self.define("BUILD_SHARED_LIBS", True),
            self.define("HTTPLIB_REQUIRE_OPENSSL", True),
            self.define("HTTPLIB_USE_ZLIB_IF_AVAILABLE", False),
            self.define("HTTPLIB_USE_BROTLI_IF_AVAILABLE", False),
        ]
