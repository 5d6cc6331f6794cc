// What is computed of features that nodes share out has the bits of one rank that has all of them,
// however they are shared out.

#include "dnn/store/held_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "dnn/data/feature_rows.hpp"
#include "dnn/store/data_digest.hpp"
#include "dnn/store/shared_dataset.hpp"
#include "dnn/store/statistics.hpp"
#include "support/mpi_world.hpp"
#include "support/open_grid.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::self;
using test::world;

/// 35,000 samples of 123 floats: 16.4 MiB, so that blocks and pieces of 4 MiB end inside of rows.
Dataset dense_data() {
  Dataset data;
  data.origin = "dense";
  data.samples = 35'000;
  data.features = data.row_elements = 123;
  const auto x = test::numbers<double>(data.samples * data.features, 3);
  data.values = Bytes::from(std::vector<float>(x.begin(), x.end()));
  data.labels = Bytes::from(std::vector<std::int32_t>(data.samples, 1));
  return data;
}

/// 40,000 samples of 0 to 76 stored values of 1000 features: 12 MB.
Dataset sparse_data() {
  Dataset data;
  data.origin = "sparse";
  data.samples = 40'000;
  data.features = 1000;
  std::vector<std::uint64_t> offsets = {0};
  std::vector<std::uint32_t> columns;
  for (std::size_t i = 0; i < data.samples; ++i) {
    const std::size_t count = i * 7919 % 77;
    for (std::size_t k = 0; k < count; ++k) {
      columns.push_back(static_cast<std::uint32_t>(13 * k + i % 12));
    }
    offsets.push_back(columns.size());
  }
  const auto x = test::numbers<double>(columns.size(), 4);
  data.values = Bytes::from(std::vector<float>(x.begin(), x.end()));
  data.value_columns = Bytes::from(std::move(columns));
  data.row_offsets = Bytes::from(std::move(offsets));
  return data;
}

/// Borders between the nodes' samples: even, with a node that has none, and with one that has few.
std::vector<std::vector<std::size_t>> ways_to_share(std::size_t samples) {
  const auto nodes = static_cast<std::size_t>(world().size());
  std::vector<std::vector<std::size_t>> ways(3, std::vector<std::size_t>{0});
  for (std::size_t n = 1; n < nodes; ++n) {
    ways[0].push_back(part_of(samples, nodes, n).begin);
    ways[1].push_back(samples * (n / 2) / nodes);
    ways[2].push_back(n * 37);
  }
  for (std::vector<std::size_t>& way : ways) {
    way.push_back(samples);
  }
  return ways;
}

class HeldRowsOf : public testing::TestWithParam<bool> {
 protected:
  Dataset whole_ = GetParam() ? sparse_data() : dense_data();

  /// Calls `work(data, held)` for each way to share the samples out.
  template <class Work>
  void for_each_way(Work&& work) {
    for (const auto& borders : ways_to_share(whole_.samples)) {
      test::OpenGrid of(world(), 1, 0, world().rank());
      {
        Dataset data = whole_;
        const std::size_t n = of.grid.node_number();
        keep_rows(data, {borders[n], borders[n + 1]});
        const HeldRows held(of.grid, *data.held);
        work(data, held);
      }
      of.close();
    }
  }
};

TEST_P(HeldRowsOf, TheDigestIsThatOfAll) {
  const DataDigest digest = digest_of(whole_);
  for_each_way(
      [&](const Dataset& data, const HeldRows& held) { EXPECT_EQ(digest_of(held, data), digest); });
}

TEST_P(HeldRowsOf, StatisticsHaveTheSameBits) {
  const auto wanted = [](std::uint64_t i) { return i % 10 != 3; };
  FeatureStatistics one = statistics(self(), whole_, nullptr, wanted);
  for_each_way([&](const Dataset& data, const HeldRows& held) {
    FeatureStatistics many = statistics(world(), data, &held, wanted);
    const auto a = one.flat();
    const auto b = many.flat();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  });
}

TEST_P(HeldRowsOf, AnybodyGetsTheRowsOfAnySamples) {
  const std::vector<std::uint64_t> wanted = {0, 38, 17'000, 36, 34'999, 38};
  for_each_way([&](const Dataset& data, const HeldRows& held) {
    const Dataset copied = held.copy(data, wanted);
    ASSERT_EQ(copied.samples, wanted.size());
    std::vector<std::uint64_t> numbers = {0, 1, 2, 3, 4, 5};
    std::vector<std::uint64_t> places_of_copy;
    std::vector<std::uint64_t> places_of_whole;
    const FeatureRows copies = rows_of(copied, numbers, places_of_copy);
    const FeatureRows rows = rows_of(whole_, wanted, places_of_whole);
    const RowUnits units(whole_);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto equal = [&](const void* a, const void* b, std::size_t size) {
        return std::memcmp(static_cast<const char*>(a) + copies.places[i] * size,
                           static_cast<const char*>(b) + rows.places[i] * size,
                           units.of(wanted[i]) * size) == 0;
      };
      EXPECT_TRUE(equal(copies.values, rows.values, units.value_bytes())) << i;
      EXPECT_TRUE(units.column_bytes() == 0 ||
                  equal(copies.columns, rows.columns, units.column_bytes()))
          << i;
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Data, HeldRowsOf, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Sparse" : "Dense"; });

TEST(HeldRows, AFeatureThatIsNotFiniteEndsAllRanks) {
  Dataset data = dense_data();
  std::vector<float> values(data.values.as<float>().begin(), data.values.as<float>().end());
  values[20'000 * data.features + 5] = std::numeric_limits<float>::infinity();
  data.values = Bytes::from(std::move(values));
  test::OpenGrid of(world(), 1, 0, world().rank());
  keep_rows(data, part_of(data.samples, of.grid.nodes(), of.grid.node_number()));
  const HeldRows held(of.grid, *data.held);
  EXPECT_THROW((void)statistics(world(), data, &held, [](std::uint64_t) { return true; }),
               std::runtime_error);
  of.close();
}

}  // namespace
}  // namespace dnn
