#include "dnn/parallel/compressed_sum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "support/mpi_world.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::world;

std::vector<float> vector_of(int rank, int step, std::size_t size) {
  return test::numbers<float>(
      size, 100 * static_cast<std::uint64_t>(step) + static_cast<std::uint64_t>(rank));
}

TEST(CompressedSum, IsTheSumToTheRoundingOfBf16AndAlikeOnAllRanks) {
  for (const std::size_t size : {0U, 1U, 3U, 1000U, 4099U}) {
    CompressedSum sum(world(), size);
    std::vector<float> own = vector_of(world().rank(), 0, size);
    sum.run(own);
    for (std::size_t i = 0; i < size; ++i) {
      double exact = 0;
      double magnitude = 0;
      for (int rank = 0; rank < world().size(); ++rank) {
        const double x = vector_of(rank, 0, size)[i];
        exact += x;
        magnitude += std::abs(x);
      }
      EXPECT_NEAR(own[i], exact, 0x1p-7 * magnitude + 1e-30);  // two roundings of 2^-9 each
    }
    std::vector<double> bits(own.begin(), own.end());
    std::vector<double> least = bits;
    std::vector<double> most = bits;
    world().all_reduce(std::span(least), Reduction::min);
    world().all_reduce(std::span(most), Reduction::max);
    EXPECT_EQ(least, most);
  }
}

// Without feedback the errors of 200 steps would add up; with it, what is lost in one step is made
// up for in the next, and the total stays within a rounding or two of one step.
TEST(CompressedSum, ErrorFeedbackLosesNothingOverManySteps) {
  constexpr std::size_t size = 257;
  CompressedSum sum(world(), size);
  std::vector<double> total(size, 0.0);
  std::vector<double> exact(size, 0.0);
  for (int step = 0; step < 200; ++step) {
    std::vector<float> own(size, 1.001F + 0.01F * static_cast<float>(world().rank()));
    sum.run(own);
    for (std::size_t i = 0; i < size; ++i) {
      total[i] += own[i];
      for (int rank = 0; rank < world().size(); ++rank) {
        exact[i] += 1.001F + 0.01F * static_cast<float>(rank);
      }
    }
  }
  for (std::size_t i = 0; i < size; ++i) {
    EXPECT_NEAR(total[i], exact[i], 0.02 * world().size());
  }
}

TEST(CompressedSum, NotANumberAndInfinityArriveAsSuchAndDoNotStay) {
  CompressedSum sum(world(), 3);
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> bad = {std::nanf(""), inf, 1};
  sum.run(bad);
  EXPECT_TRUE(std::isnan(bad[0]));
  EXPECT_EQ(bad[1], inf);
  std::vector<float> good = {1, 2, 3};
  sum.run(good);
  const auto ranks = static_cast<float>(world().size());
  EXPECT_EQ(good[0], 1 * ranks);
  EXPECT_EQ(good[1], 2 * ranks);
  std::vector<float> later = {1, inf, std::nanf("")};
  sum.run(later);
  EXPECT_EQ(later[1], inf);
  EXPECT_TRUE(std::isnan(later[2]));
  good = {1, 2, 3};
  sum.run(good);
  EXPECT_EQ(good, (std::vector<float>{1 * ranks, 2 * ranks, 3 * ranks}));
}

// One rank marks it; the others' elements are numbers, and so are most of its own.
TEST(CompressedSum, AVectorThatDoesNotCountLeavesNothingBehind) {
  constexpr std::size_t size = 257;
  CompressedSum undisturbed(world(), size);
  CompressedSum sum(world(), size);
  for (int step = 0; step < 6; ++step) {
    std::vector<float> bad = vector_of(world().rank(), 50 + step, size);
    for (float& x : bad) {
      x *= 1e12F;
    }
    if (world().rank() == step % world().size()) {
      bad[0] = std::nanf("");
      bad[size - 1] = std::numeric_limits<float>::infinity();
    }
    const std::string before = sum.save_residual();
    sum.run(bad);
    EXPECT_TRUE(std::isnan(bad[0]));
    EXPECT_EQ(sum.save_residual(), before);
    std::vector<float> expected = vector_of(world().rank(), step, size);
    std::vector<float> good = expected;
    undisturbed.run(expected);
    sum.run(good);
    EXPECT_EQ(good, expected);
  }
}

// Saved and loaded between two sums, the residual makes the next one what it would have been.
TEST(CompressedSum, ResidualsComeBack) {
  constexpr std::size_t size = 1003;
  CompressedSum undisturbed(world(), size);
  const auto given = [](int step) {
    return test::numbers<float>(size, static_cast<std::uint64_t>(100 * step + world().rank()));
  };
  std::string residual;
  for (int step = 0; step < 3; ++step) {
    auto a = given(step);
    auto b = a;
    undisturbed.run(a);
    CompressedSum resumed(world(), size);
    EXPECT_TRUE(resumed.load_residual(residual));
    resumed.run(b);
    EXPECT_EQ(a, b);
    residual = resumed.save_residual();
  }
  EXPECT_FALSE(CompressedSum(world(), size + 1).load_residual(residual));
}

}  // namespace
}  // namespace dnn
