#include "dnn/options/watch_options.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

WatchOptions parse_watch(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "dnn_watch");
  return parse_watch_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(WatchOptions, AFolderAndAPort) {
  EXPECT_EQ(parse_watch({"runs"}).folder, "runs");
  EXPECT_EQ(parse_watch({"runs"}).port, 0);
  EXPECT_EQ(parse_watch({"runs", "--port", "8080"}).port, 8080);
  EXPECT_TRUE(parse_watch({"--help"}).print);
  test::expect_error<InputError>([] { (void)parse_watch({}); }, {"folder", "--help"});
  test::expect_error<InputError>(
      [] {
        (void)parse_watch({"runs", "--port", "70000"});
      },
      {"--port"});
}

}  // namespace
}  // namespace dnn
