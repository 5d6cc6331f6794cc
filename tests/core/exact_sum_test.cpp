#include "dnn/core/exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "support/exact_integer.hpp"

namespace dnn {
namespace {

using test::in_units;
using test::Integer;

/// Whether no double is nearer to `exact` than `rounded`, and of two as near, it is the even one.
bool is_nearest(const Integer& exact, double rounded) {
  const Integer off = abs(exact - in_units(rounded));
  for (const double away :
       {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()}) {
    const double other = std::nextafter(rounded, away);
    const Integer other_off = abs(exact - in_units(other));
    if (other_off < off || (other_off == off && std::bit_cast<std::uint64_t>(rounded) % 2 == 1)) {
      return false;
    }
  }
  return true;
}

/// Any finite double, every exponent as likely as any other; below the largest by far.
double any_double(std::mt19937_64& random) {
  const std::uint64_t bits = random();
  const std::uint64_t exponent = random() % 2000;
  return std::bit_cast<double>((bits & ~(std::uint64_t{0x7FF} << 52)) | exponent << 52);
}

TEST(ExactSum, IsTheNearestDoubleToTheExactSumWhateverTheOrderAndTheSplit) {
  std::mt19937_64 random(1);
  for (int trial = 0; trial < 3000; ++trial) {
    std::vector<double> numbers(1 + random() % 40);
    const double base = any_double(random);
    for (double& x : numbers) {
      // Far apart, or close together so that much cancels.
      x = trial % 2 == 0 ? any_double(random)
                         : base * (static_cast<double>(random() % 2048) - 1024) / 1024;
    }
    Integer exact = 0;
    for (const double x : numbers) {
      exact += in_units(x);
    }
    double first = 0;
    for (int order = 0; order < 3; ++order) {
      std::shuffle(numbers.begin(), numbers.end(), random);
      std::vector<ExactSum> parts(1 + random() % 5);
      for (const double x : numbers) {
        parts[random() % parts.size()] += x;
      }
      ExactSum total;
      for (const ExactSum& part : parts) {
        total += part;
      }
      const double value = total.value();
      EXPECT_TRUE(is_nearest(exact, value)) << value;
      first = order == 0 ? value : first;
      EXPECT_EQ(std::bit_cast<std::uint64_t>(first), std::bit_cast<std::uint64_t>(value));
      Integer again = 0;
      for (const double part : total.expansion()) {
        again += in_units(part);
      }
      EXPECT_EQ(again, exact);
    }
  }
}

TEST(ExactSum, RoundsHalvesToEvenAndKeepsTheSmallest) {
  const double ulp = std::numeric_limits<double>::epsilon();
  ExactSum sum = 1;
  sum += ulp / 2;
  EXPECT_EQ(sum.value(), 1);
  sum += std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(sum.value(), 1 + ulp);
  sum += -1;
  sum += -ulp / 2;
  EXPECT_EQ(sum.value(), std::numeric_limits<double>::denorm_min());
  sum += -std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(sum.value(), 0);
  EXPECT_TRUE(sum.expansion().empty());
}

TEST(ExactSum, HoldsTheLargestAndPassesOverWhatOverflowsInBetween) {
  const double largest = std::numeric_limits<double>::max();
  ExactSum sum;
  for (int i = 0; i < 1000; ++i) {
    sum += largest;
  }
  EXPECT_TRUE(std::isinf(sum.value()));
  for (int i = 0; i < 999; ++i) {
    sum += -largest;
  }
  EXPECT_EQ(sum.value(), largest);
  sum += -largest;
  sum += -largest;
  EXPECT_EQ(sum.value(), -largest);
}

TEST(ExactSum, ANumberThatIsNoneMakesItNone) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    ExactSum sum = 1;
    sum += ExactSum(bad);
    sum += 2.0;
    EXPECT_TRUE(std::isnan(sum.value()));
  }
}

TEST(ExactSum, CombinesWithOtherRanks) {
  ExactSum a = 1e300;
  a += 1;
  ExactSum b = -1e300;
  std::vector<std::int64_t> theirs;
  b.combine([&](std::span<std::int64_t> words) { theirs.assign(words.begin(), words.end()); });
  a.combine([&](std::span<std::int64_t> words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] += theirs[i];
    }
  });
  EXPECT_EQ(a.value(), 1);
  a += 1.0;
  EXPECT_EQ(a.value(), 2);
}

}  // namespace
}  // namespace dnn
