#include "dnn/parallel/top_classes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "support/mpi_world.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::world;

/// What sorting the whole rows gives.
std::vector<std::int32_t> sorted_top(const std::vector<double>& rows, std::size_t classes,
                                     std::size_t count) {
  std::vector<std::int32_t> top;
  for (std::size_t first = 0; first < rows.size(); first += classes) {
    std::vector<std::int32_t> order(classes);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return rows[first + static_cast<std::size_t>(a)] > rows[first + static_cast<std::size_t>(b)];
    });
    order.resize(std::max(classes, count), -1);
    std::fill(order.begin() + static_cast<std::ptrdiff_t>(classes), order.end(), -1);
    top.insert(top.end(), order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return top;
}

std::vector<std::int32_t> top_of(const std::vector<double>& rows, std::size_t classes,
                                 std::size_t count) {
  const Range mine = part_of(classes, static_cast<std::size_t>(world().size()),
                             static_cast<std::size_t>(world().rank()));
  const std::size_t samples = rows.size() / classes;
  std::vector<double> slice;
  for (std::size_t s = 0; s < samples; ++s) {
    for (std::size_t j = mine.begin; j < mine.end; ++j) {
      slice.push_back(rows[s * classes + j]);
    }
  }
  std::vector<std::int32_t> top(samples * count);
  top_classes<double>(&world(), mine, {slice.data(), samples, mine.size()}, count, top);
  return top;
}

TEST(TopClasses, AreThoseOfTheWholeRows) {
  for (const std::size_t classes : {1U, 3U, 7U, 100U}) {
    for (const std::size_t count : {1U, 5U}) {
      std::vector<double> rows = test::numbers<double>(6 * classes, classes);
      for (double& x : rows) {
        x = std::floor(4 * x);  // many are equal: the first of them goes before
      }
      rows.back() = -std::numeric_limits<double>::infinity();
      EXPECT_EQ(top_of(rows, classes, count), sorted_top(rows, classes, count))
          << classes << " classes, top " << count;
    }
  }
}

TEST(TopClasses, NaNCountsAsMasked) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(top_of({nan, -3, nan, 2}, 4, 2), (std::vector<std::int32_t>{3, 1}));
  EXPECT_EQ(top_of({nan, nan}, 2, 1), (std::vector<std::int32_t>{0}));
}

}  // namespace
}  // namespace dnn
