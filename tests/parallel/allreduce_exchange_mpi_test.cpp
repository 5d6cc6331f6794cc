#include "dnn/parallel/allreduce_exchange.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

template <class T>
class AllreduceExchangeOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(AllreduceExchangeOf, Elements);

TYPED_TEST(AllreduceExchangeOf, SumsGradientsAndOwnsEverything) {
  constexpr std::size_t size = 1003;
  AllreduceExchange<TypeParam> exchange(world(), size);
  EXPECT_EQ(exchange.own(), (Range{0, size}));
  std::vector<TypeParam> gradients(size);
  for (std::size_t i = 0; i < size; ++i) {
    gradients[i] = static_cast<TypeParam>(i) + static_cast<TypeParam>(world().rank());
  }
  EXPECT_EQ(exchange.combine(gradients), exchange.own());
  const auto ranks = static_cast<TypeParam>(world().size());
  for (std::size_t i = 0; i < size; ++i) {
    EXPECT_EQ(gradients[i], static_cast<TypeParam>(i) * ranks + ranks * (ranks - 1) / 2);
  }
  std::vector<TypeParam> values(size, TypeParam{7});
  exchange.publish(values);
  EXPECT_EQ(values, std::vector<TypeParam>(size, TypeParam{7}));
  EXPECT_EQ(exchange.sum_over_owners(2.5), 2.5);
}

}  // namespace
}  // namespace dnn
