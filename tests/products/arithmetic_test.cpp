#include "dnn/products/arithmetic.hpp"

#include <gtest/gtest.h>

#include <map>

namespace dnn {
namespace {

TEST(Arithmetic, NamesLibrariesAndProcessor) {
  const auto facts = describe_arithmetic();
  const std::map<std::string, std::string> by_name(facts.begin(), facts.end());
  EXPECT_EQ(by_name.size(), facts.size());
  for (const char* name : {"onednn", "onednn_isa", "cpu", "compiler", "libc"}) {
    ASSERT_TRUE(by_name.contains(name)) << name;
    EXPECT_FALSE(by_name.at(name).empty()) << name;
  }
  EXPECT_EQ(describe_arithmetic(), facts);
}

}  // namespace
}  // namespace dnn
