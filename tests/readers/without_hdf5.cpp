// What a build without the HDF5 library says: this program has hdf5_file.cpp of its own.

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "dnn/readers/hdf5_file.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

TEST(WithoutHdf5, SaysWhatToDo) {
  EXPECT_EQ(hdf5_support(), "without HDF5");
  const std::string signature = "\x89HDF\r\n\x1a\n";
  EXPECT_TRUE(looks_like_hdf5(std::as_bytes(std::span(signature))));
  test::expect_error<InputError>([] { (void)open_hdf5({}, "d.h5"); },
                                 {"d.h5: ", "built without HDF5", "libhdf5-dev", "NPY"});
}

}  // namespace
}  // namespace dnn
