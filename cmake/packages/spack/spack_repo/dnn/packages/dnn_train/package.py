# SPDX-License-Identifier: MIT
"""Recipe of dnn_train for Spack 1.0 or newer. In the top folder of the sources:

spack repo add cmake/packages/spack/spack_repo/dnn
spack dev-build dnn-train@0.1.0
"""

from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class DnnTrain(CMakePackage):
    """MPI-native trainer of dense neural networks, the same model bit for bit at any number of ranks."""

    license("MIT")

    version("0.1.0")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("help2man", type="build")
    depends_on("gzip", type="build")
    depends_on("python@3.6:", type=("build", "run"))

    depends_on("mpi@3:")
    depends_on("boost@1.74:+serialization")
    depends_on("cli11@2.1:", type="build")
    depends_on("nlohmann-json@3.9:", type="build")
    depends_on("fmt@9:")
    depends_on("openssl@3:")
    depends_on("zlib-api")
    depends_on("libarchive")
    depends_on("onednn@2.6:")
    depends_on("hwloc@2:")
    depends_on("hdf5@1.10.7:")
    depends_on("cpp-httplib@0.11:")
    depends_on("random123", type="build")
    depends_on("fast-float", type="build")
    depends_on("tomlplusplus", type="build")

    requires("%gcc@12:", "%clang@14:", policy="one_of", msg="C++20 is needed")

    def cmake_args(self):
        return [self.define("DNN_TESTS", self.run_tests), self.define("DNN_UNITY", True)]
