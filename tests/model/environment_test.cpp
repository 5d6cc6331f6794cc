#include "dnn/model/environment.hpp"

#include <gtest/gtest.h>

namespace dnn {
namespace {

TEST(Environment, ComesBackFromItsText) {
  const std::string text = R"({"cpu":"one \"two\"","blas":"three"})";
  const Environment environment = Environment::parse(text);
  ASSERT_EQ(environment.facts().size(), 2U);
  EXPECT_EQ(environment.facts()[0].second, "one \"two\"");
  EXPECT_EQ(environment.to_text(), text);
  EXPECT_EQ(Environment().to_text(), "");
}

TEST(Environment, OddTextsAreUnknown) {
  for (const char* text : {"", "[1]", "{", "\"x\"", R"({"cpu": 7})"}) {
    EXPECT_TRUE(Environment::parse(text).facts().empty()) << text;
  }
}

TEST(Environment, OnlyWhatBothKnowCanDiffer) {
  const Environment a = Environment::parse(R"({"cpu":"one","blas":"x","old":"1"})");
  const Environment b = Environment::parse(R"({"cpu":"two","new":"2","blas":"x"})");
  EXPECT_EQ(a.differences(b), std::vector<std::string>{"cpu: one against two"});
  EXPECT_TRUE(a.differences(a).empty());
  EXPECT_TRUE(a.differences({}).empty());
}

}  // namespace
}  // namespace dnn
