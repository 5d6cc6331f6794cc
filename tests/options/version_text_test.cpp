#include "dnn/options/version_text.hpp"

#include <gtest/gtest.h>

#include "dnn/comm/communicator.hpp"
#include "dnn/options/watch_options.hpp"
#include "dnn/products/tile_kernel.hpp"
#include "dnn/readers/hdf5_file.hpp"

namespace dnn {
namespace {

TEST(VersionText, NamesWhatTheProgramIsMadeOf) {
  const std::string text = version_text("dnn_watch");
  EXPECT_TRUE(text.starts_with("dnn_watch " DNN_VERSION "\n")) << text;
  EXPECT_NE(text.find("\nmpi         " + mpi_library() + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find(std::string("\nproducts    ") + tile_kernels<float>().front().instructions),
            std::string::npos)
      << text;
  for (const char* name :
       {"\nbf16 ", "\nparts ", "\nonednn ", "\ncpu ", "\ncompiler ", "\nlibc "}) {
    EXPECT_NE(text.find(name), std::string::npos) << name << " in\n" << text;
  }
  EXPECT_NE(text.find("\nparts       " + hdf5_support() + "\n"), std::string::npos) << text;
  const char* arguments[] = {"dnn_watch", "--version"};
  EXPECT_EQ(parse_watch_options(2, arguments).print, text);
}

}  // namespace
}  // namespace dnn
