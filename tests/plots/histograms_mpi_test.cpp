// Sums over ranks from which plots are made.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "dnn/core/partition.hpp"
#include "dnn/plots/calibration.hpp"
#include "dnn/plots/residual_histogram.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

TEST(Calibration, TheErrorIsTheMeanDistanceOverTheBins) {
  Calibration calibration;
  if (world().is_root()) {  // in two bins: 0.9, 0.9 of which one is right, and 0.5, which is right
    calibration.add(0.9, true);
    calibration.add(0.9, false);
  }
  if (world().rank() + 1 == world().size()) {
    calibration.add(0.5, true);
    calibration.add(std::nan(""), true);
  }
  const std::vector<Calibration::Bin> bins = calibration.totals(world());
  EXPECT_EQ(bins[13].count, 2U);
  EXPECT_EQ(bins[7].right, 1U);
  EXPECT_NEAR(calibration_error(bins), (std::abs(1.8 - 1) + std::abs(0.5 - 1)) / 3, 1e-15);
}

TEST(ResidualHistogram, BinsFitTheNumbersInWhateverOrderTheyCome) {
  for (const double unit : {1e-12, 1.0, 3e7}) {
    std::vector<double> numbers;
    for (std::size_t i = 0; i < 1000; ++i) {
      numbers.push_back(unit * (static_cast<double>(i * 7919 % 1009) / 200 - 2.5));
    }
    numbers.push_back(1000 * unit);  // far away
    const auto ranks = static_cast<std::size_t>(world().size());
    const Range mine = part_of(numbers.size(), ranks, static_cast<std::size_t>(world().rank()));
    ResidualHistogram split;
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
      split.add(numbers[i]);
    }
    split.combine(world());
    ResidualHistogram whole;
    std::reverse(numbers.begin(), numbers.end());
    for (const double x : numbers) {
      whole.add(x);
    }
    const ResidualHistogram::Shown a = split.shown(60);
    const ResidualHistogram::Shown b = whole.shown(60);
    EXPECT_EQ(a.counts, b.counts);
    EXPECT_EQ(a.first, b.first);
    EXPECT_EQ(a.width, b.width);
    EXPECT_LE(a.counts.size(), 60U);
    std::uint64_t above = 0;
    for (const double x : numbers) {
      above += x >= a.first + a.width * static_cast<double>(a.counts.size()) ? 1 : 0;
    }
    EXPECT_EQ(a.above, above);
    EXPECT_GE(a.above, 1U);
  }
  EXPECT_TRUE(ResidualHistogram().shown(60).counts.empty());
}

}  // namespace
}  // namespace dnn
