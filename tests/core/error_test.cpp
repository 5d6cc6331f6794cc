#include "dnn/core/error.hpp"

#include <gtest/gtest.h>

namespace dnn {
namespace {

TEST(InQuotes, ShowsTheBeginningWithoutControlCharacters) {
  EXPECT_EQ(in_quotes("red"), "'red'");
  EXPECT_EQ(in_quotes(""), "''");
  EXPECT_EQ(in_quotes("a\x1b[1m\n\x7f"),
            "'a?[1m?"
            "?'");
  EXPECT_EQ(in_quotes("\xc3\xa9"), "'\xc3\xa9'");
  EXPECT_EQ(in_quotes(std::string(1000, 'x')), "'" + std::string(60, 'x') + "...'");
}

}  // namespace
}  // namespace dnn
