#pragma once

#include <gtest/gtest.h>

#include <stdexcept>

#include "dnn/products/bf16_product.hpp"

namespace dnn::test {

inline constexpr auto no_bf16_unit = "this processor has no bf16 unit";

/// Skips its tests where oneDNN refuses bf16 products; where the processor has a bf16 unit, that is
/// a failure.
class NeedsBf16Products : public testing::Test {
 protected:
  void SetUp() override {
    try {
      Bf16Product(Bf16Layout::rows, 2, 2, 2);
    } catch (const std::runtime_error& e) {
      ASSERT_FALSE(has_bf16_unit()) << e.what();
      GTEST_SKIP() << no_bf16_unit << ": " << e.what();
    }
  }
};

}  // namespace dnn::test
