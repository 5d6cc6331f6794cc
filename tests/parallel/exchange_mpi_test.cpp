// Every strategy, held against a sum that each rank computes for itself.

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/parallel/make_exchange.hpp"
#include "support/expect_error.hpp"
#include "support/little_memory.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

/// What rank `rank` has as element i of its gradient at a step: whole numbers, so that sums are
/// exact.
template <class T>
T gradient(std::size_t i, int rank, int step) {
  return static_cast<T>(static_cast<int>(i % 1009) - 300 + 7 * rank + step);
}

template <class T>
T gradient_sum(std::size_t i, int step) {
  T sum{};
  for (int rank = 0; rank < world().size(); ++rank) {
    sum += gradient<T>(i, rank, step);
  }
  return sum;
}

/// Five steps w -= g / 4 through the exchange, as a training step does them, over flat buffers that
/// are made complete in three ranges, last first.
template <class T>
void five_steps(ExchangeKind kind, std::size_t size, std::size_t bucket_bytes) {
  Node node(world());
  {
    const ExchangeSettings settings{kind, bucket_bytes, false, true};
    const auto choice = choose_exchange(settings, world(), node, size * sizeof(T));
    const auto exchange = make_exchange<T>(choice, settings, world(), node, size);
    exchange->set_values([](std::span<T> values) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<T>(i % 31);
      }
    });
    std::vector<T> expected(exchange->values().begin(), exchange->values().end());
    for (int step = 0; step < 5; ++step) {
      for (std::size_t part = 3; part-- > 0;) {
        const Range range = part_of(size, 3, part);
        for (std::size_t i = range.begin; i < range.end; ++i) {
          exchange->gradients()[i] = gradient<T>(i, world().rank(), step);
        }
        exchange->ready(range);
      }
      EXPECT_TRUE(exchange->combine(true));
      const Range own = exchange->own();
      std::array<std::uint64_t, 2> owned = {own.size(), own.end};
      exchange->reduce_over_owners(owned, Reduction::sum);
      EXPECT_EQ(owned[0], size);
      owned = {own.size(), own.end};
      exchange->reduce_over_owners(owned, Reduction::max);
      EXPECT_EQ(owned[1], size);
      for (std::size_t i = own.begin; i < own.end; ++i) {
        EXPECT_EQ(exchange->gradients()[i], gradient_sum<T>(i, step)) << i;
        exchange->values()[i] -= exchange->gradients()[i] / 4;
      }
      exchange->publish();
      for (std::size_t i = 0; i < size; ++i) {
        expected[i] -= gradient_sum<T>(i, step) / 4;
      }
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), exchange->values().begin()))
          << "step " << step;
    }
  }
  node.close();
}

/// Steps of which the first elements are not exchanged, so that most slices have nothing to sum;
/// now and then with bad numbers.
template <class T>
void partial_steps(ExchangeKind kind, std::size_t bucket_bytes, std::size_t logical_shards) {
  constexpr std::size_t first = 280;
  constexpr std::size_t size = first + 33;
  Node node(world());
  {
    const ExchangeSettings settings{.kind = kind,
                                    .bucket_bytes = bucket_bytes,
                                    .shared_cores = true,
                                    .logical_shards = logical_shards,
                                    .not_exchanged = first};
    const auto exchange = make_exchange<T>({kind, ""}, settings, world(), node, size);
    EXPECT_EQ(exchange->exchanged(), (Range{first, size}));
    const auto ranks = static_cast<std::size_t>(world().size());
    const Range leaves = part_of(logical_shards, ranks, static_cast<std::size_t>(world().rank()));
    const std::size_t parts = logical_shards > 0 ? tree_nodes(logical_shards, leaves).size() : 1;
    const auto all_parts = world().all_reduce<std::uint64_t>(parts, Reduction::sum);
    const auto value = [](std::size_t i, std::size_t step) {
      return static_cast<T>(static_cast<int>(i % 100 + step) - 50);
    };
    for (std::size_t step = 0; step < 10; ++step) {
      const bool all_finite = step % 3 != 2;
      std::fill_n(exchange->gradients().begin(), first, T{7});
      for (std::size_t p = 0; p < parts; ++p) {
        for (std::size_t i = first; i < size; ++i) {
          exchange->part(p)[i] = value(i, step);
        }
      }
      exchange->ready({first, size});
      exchange->ready({0, first});
      const bool finite = all_finite || world().rank() != world().size() - 1;
      EXPECT_EQ(exchange->combine(finite), all_finite) << step;
      for (std::size_t i = exchange->own().begin; all_finite && i < exchange->own().end; ++i) {
        EXPECT_EQ(exchange->gradients()[i],
                  i < first ? T{7} : static_cast<T>(all_parts) * value(i, step))
            << step << ": " << i;
      }
      exchange->publish();
    }
  }
  node.close();
}

/// Steps in which now and then a rank, or all of them, have bad numbers: all ranks hear of it, and
/// the next step is a good one again.
template <class T>
void bad_steps(ExchangeKind kind, std::size_t size, std::size_t bucket_bytes) {
  constexpr int none = -1;
  constexpr int all = -2;
  Node node(world());
  {
    const ExchangeSettings settings{kind, bucket_bytes, false, true};
    const auto choice = choose_exchange(settings, world(), node, size * sizeof(T));
    const auto exchange = make_exchange<T>(choice, settings, world(), node, size);
    for (const int bad : {none, 0, world().size() - 1, none, all, world().size() / 2, none}) {
      const bool finite = bad != all && bad != world().rank();
      for (std::size_t part = 3; part-- > 0;) {
        const Range range = part_of(size, 3, part);
        for (std::size_t i = range.begin; i < range.end; ++i) {
          exchange->gradients()[i] = finite ? T{1} : std::numeric_limits<T>::infinity();
        }
        exchange->ready(range);
      }
      EXPECT_EQ(exchange->combine(finite), bad == none) << "bad: " << bad;
      const Range own = exchange->own();
      for (std::size_t i = own.begin; bad == none && i < own.end; ++i) {
        EXPECT_EQ(exchange->gradients()[i], static_cast<T>(world().size())) << i;
      }
      exchange->publish();
    }
  }
  node.close();
}

template <class T>
class ExchangeOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(ExchangeOf, Elements);

TYPED_TEST(ExchangeOf, AllreduceSumsAndPublishes) {
  five_steps<TypeParam>(ExchangeKind::allreduce, 1003, 64);
}
TYPED_TEST(ExchangeOf, NodeSumsAndPublishes) {
  for (const std::size_t size : {1U, 15U, 48U, 1003U, 100'000U}) {
    five_steps<TypeParam>(ExchangeKind::node, size, 64);
  }
}
TYPED_TEST(ExchangeOf, OverlapSumsAndPublishesWithAnyBucket) {
  for (const std::size_t bucket : {1U, 1000U, 4096U, 1U << 30}) {
    five_steps<TypeParam>(ExchangeKind::overlap, 1003, bucket);
  }
  five_steps<TypeParam>(ExchangeKind::overlap, 100'000, 1 << 16);
}

TYPED_TEST(ExchangeOf, TheFirstElementsMayBeLeftOut) {
  for (const std::size_t shards : {0U, 8U}) {
    partial_steps<TypeParam>(ExchangeKind::allreduce, 64, shards);
    partial_steps<TypeParam>(ExchangeKind::tree, 64, shards);
    partial_steps<TypeParam>(ExchangeKind::node, 64, shards);
    for (const std::size_t bucket : {1U, 100U, 1U << 20}) {
      partial_steps<TypeParam>(ExchangeKind::overlap, bucket, shards);
    }
  }
}

TYPED_TEST(ExchangeOf, AllRanksGetTheRowsOfAll) {
  Node node(world());
  {
    const ExchangeSettings settings{.kind = ExchangeKind::node, .shared_cores = true};
    const auto exchange =
        make_exchange<TypeParam>({ExchangeKind::node, ""}, settings, world(), node, 64);
    for (const std::size_t shards : {0U, 1U, 8U}) {
      for (const std::size_t rows : {1U, 13U, 40U}) {
        constexpr std::size_t width = 5;
        const auto value = [](std::size_t row, std::size_t j) {
          return static_cast<TypeParam>(10 * row + j);
        };
        const Range mine = share_of(rows, shards, static_cast<std::size_t>(world().size()),
                                    static_cast<std::size_t>(world().rank()));
        std::vector<TypeParam> own;
        for (std::size_t row = mine.begin; row < mine.end; ++row) {
          for (std::size_t j = 0; j < width; ++j) {
            own.push_back(value(row, j));
          }
        }
        std::vector<TypeParam> all(rows * width);
        exchange->gather_rows({own.data(), mine.size(), width}, {all.data(), rows, width}, shards);
        for (std::size_t i = 0; i < all.size(); ++i) {
          EXPECT_EQ(all[i], value(i / width, i % width));
        }
        EXPECT_THROW(
            exchange->gather_rows({own.data(), rows + 1, width}, {all.data(), rows, width}, shards),
            std::invalid_argument);
      }
    }
  }
  node.close();
}

TYPED_TEST(ExchangeOf, AllRanksHearOfOneRanksBadNumbers) {
  for (const std::size_t size : {1U, 48U, 1003U}) {
    bad_steps<TypeParam>(ExchangeKind::allreduce, size, 64);
    bad_steps<TypeParam>(ExchangeKind::node, size, 64);
    for (const std::size_t bucket : {1U, 1000U, 4096U, 1U << 30}) {
      bad_steps<TypeParam>(ExchangeKind::overlap, size, bucket);
    }
  }
}

#ifndef __SANITIZE_ADDRESS__  // which takes 14 TiB of address space for itself
// The others must not wait for it.
TYPED_TEST(ExchangeOf, ANodeThatLacksMemoryIsAnErrorOnAll) {
  constexpr std::size_t mib = std::size_t{1} << 20;
  const bool is_last = world().rank() == world().size() - 1;
  Node node(world(), is_last ? 1 : 0);
  for (const std::size_t shards : {0U, 8U}) {
    std::optional<test::LittleMemory> little;
    if (is_last) {
      little.emplace(16 * mib);
    }
    const ExchangeSettings settings{
        .kind = ExchangeKind::node, .shared_cores = true, .logical_shards = shards};
    test::expect_error<AgreedError>(
        [&] {
          (void)agree(world(), [&] {
            return make_exchange<TypeParam>({ExchangeKind::node, ""}, settings, world(), node,
                                            32 * mib / sizeof(TypeParam));
          });
        },
        {"the parameters (W, B) needs "});
  }
  node.close();
}
#endif

TEST(ChooseExchange, SaysWhatItChoseAndWhy) {
  Node node(world());
  const bool alone = world().size() == 1;
  const bool shared = world().all_reduce<std::int64_t>(node.size(), Reduction::max) > 1;
  const auto large = choose_exchange({.spare_core = true}, world(), node, std::size_t{1} << 30);
  EXPECT_EQ(large.kind, alone    ? ExchangeKind::tree
                        : shared ? ExchangeKind::node
                                 : ExchangeKind::overlap);
  EXPECT_FALSE(large.reason.empty());
  const auto busy = choose_exchange({}, world(), node, std::size_t{1} << 30);
  EXPECT_EQ(busy.kind, shared ? ExchangeKind::node : ExchangeKind::tree);
  const auto small = choose_exchange({.spare_core = true}, world(), node, 4);
  EXPECT_EQ(small.kind, shared ? ExchangeKind::node : ExchangeKind::tree);
  const auto asked = choose_exchange({.kind = ExchangeKind::overlap}, world(), node, 1);
  EXPECT_EQ(asked.kind, ExchangeKind::overlap);
  test::expect_error<InputError>(
      [&] {
        (void)choose_exchange({.kind = ExchangeKind::overlap, .compress = true}, world(), node, 1);
      },
      {"--compress", "--exchange node"});
  node.close();
}

}  // namespace
}  // namespace dnn
