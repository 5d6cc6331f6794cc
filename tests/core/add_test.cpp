#include "dnn/core/add.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/test_numbers.hpp"

namespace dnn {
namespace {

template <class T>
void adds_every_element() {
  for (const std::size_t count : {0U, 1U, 7U, 16U, 33U, 1000U}) {
    const std::vector<T> from = test::numbers<T>(count, 1);
    const std::vector<T> before = test::numbers<T>(count, 2);
    std::vector<T> to = before;
    to.push_back(T{9});
    add(from.data(), to.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(to[i], before[i] + from[i]);
    }
    EXPECT_EQ(to[count], T{9});
  }
}

TEST(Add, Floats) {
  adds_every_element<float>();
}
TEST(Add, Doubles) {
  adds_every_element<double>();
}

}  // namespace
}  // namespace dnn
