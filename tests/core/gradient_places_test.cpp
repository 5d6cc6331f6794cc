#include "dnn/core/gradient_places.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace dnn {
namespace {

constexpr std::size_t place_rows = 7;
constexpr std::size_t width = 3;
constexpr std::size_t buffer_size = place_rows * width + 5;

/// The naive twin: where the gradient of each parameter is.
std::vector<std::optional<std::size_t>> places(const std::vector<std::uint32_t>& active) {
  std::vector<std::optional<std::size_t>> all(buffer_size);
  std::size_t next = place_rows * width - active.size() * width;
  for (const std::uint32_t row : active) {
    for (std::size_t j = 0; j < width; ++j) {
      all[row * width + j] = next++;
    }
  }
  for (std::size_t i = place_rows * width; i < buffer_size; ++i) {
    all[i] = i;
  }
  return all;
}

void expect_every_range(const GradientPlaces& given,
                        const std::vector<std::optional<std::size_t>>& expected) {
  for (std::size_t begin = 0; begin <= buffer_size; ++begin) {
    for (std::size_t end = begin; end <= buffer_size; ++end) {
      std::vector<std::size_t> of_range;
      for (std::size_t i = begin; i < end; ++i) {
        if (expected[i]) {
          of_range.push_back(*expected[i]);
        }
      }
      const Range found = given.places_of({begin, end});
      ASSERT_EQ(found.size(), of_range.size()) << begin << " to " << end;
      for (std::size_t i = 0; i < of_range.size(); ++i) {
        ASSERT_EQ(found.begin + i, of_range[i]);
      }
      std::size_t seen = 0;
      std::size_t next = begin;
      given.for_each_run({begin, end}, [&](Range run, std::size_t place) {
        ASSERT_LE(next, run.begin);
        ASSERT_LT(run.begin, run.end);
        for (std::size_t i = run.begin; i < run.end; ++i) {
          ASSERT_EQ(expected[i], place + i - run.begin);
        }
        next = run.end;
        seen += run.size();
      });
      ASSERT_LE(next, end);
      ASSERT_EQ(seen, of_range.size()) << begin << " to " << end;
    }
  }
}

TEST(GradientPlaces, EveryParameterHasItsOwnUnlessSaidOtherwise) {
  const GradientPlaces all;
  expect_every_range(all, places({0, 1, 2, 3, 4, 5, 6}));
}

TEST(GradientPlaces, ActiveRowsArePackedAgainstTheEndOfTheMatrix) {
  for (const std::vector<std::uint32_t>& active :
       std::vector<std::vector<std::uint32_t>>{{}, {0}, {6}, {2, 3, 5}, {0, 1, 2, 3, 4, 5, 6}}) {
    const GradientPlaces some(place_rows, width, active);
    EXPECT_EQ(some.active_rows(),
              (Range{(place_rows - active.size()) * width, place_rows * width}));
    expect_every_range(some, places(active));
  }
}

}  // namespace
}  // namespace dnn
