#include "dnn/core/page_number.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dnn {
namespace {

TEST(PageNumber, HasSixDigits) {
  EXPECT_EQ(page_number(0.0), 0.0);
  EXPECT_EQ(page_number(1.0 / 3), 0.333333);
  EXPECT_EQ(page_number(-1234567.0), -1234570.0);
  EXPECT_EQ(page_number(1.23456789e-300), 1.23457e-300);
  EXPECT_EQ(page_number(std::numeric_limits<double>::infinity()),
            std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(page_number(std::numeric_limits<double>::quiet_NaN())));
  constexpr double largest = std::numeric_limits<double>::max();  // 1.79769e308 is less
  EXPECT_EQ(page_number(largest), 1.79769e308);
}

}  // namespace
}  // namespace dnn
