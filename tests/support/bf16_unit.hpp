#pragma once

#include <gtest/gtest.h>

#include <stdexcept>

#include "dnn/nn/bf16_product.hpp"

namespace dnn::test {

/// Skips its tests where oneDNN refuses bf16 products; where the processor has a bf16 unit, that is
/// a failure.
class NeedsBf16Products : public testing::Test {
 protected:
  void SetUp() override {
    try {
      Bf16Product(Bf16Layout::rows, 2, 2, 2);
    } catch (const std::runtime_error& e) {
      ASSERT_FALSE(has_bf16_unit()) << e.what();
      GTEST_SKIP() << "bf16 products are not tested on this processor: " << e.what();
    }
  }
};

}  // namespace dnn::test
