#include "dnn/core/sum_of_squares.hpp"

#include <cmath>
#include <cstddef>
#include <mutex>

#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

constexpr double two_to_32 = 4294967296.0;

/// `scale` is a power of two in two factors, since 2^1074 is none of a double's.
template <class T>
DNN_SIMD_BODY void add_squares_loop(const T* __restrict values, std::size_t count, double scale,
                                    double scale_again, SumOfSquares& sum) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(values[i]) * scale * scale_again;
    const double square = x * x * two_to_32;
    const auto whole = static_cast<std::int64_t>(square);
    high += static_cast<std::uint64_t>(whole);
    low += static_cast<std::uint64_t>(
        static_cast<std::int64_t>((square - static_cast<double>(whole)) * two_to_32));
  }
  sum.high += high;
  sum.low += low;
}
DNN_SIMD void add_squares(const float* values, std::size_t count, double scale, double scale_again,
                          SumOfSquares& sum) {
  add_squares_loop(values, count, scale, scale_again, sum);
}
DNN_SIMD void add_squares(const double* values, std::size_t count, double scale, double scale_again,
                          SumOfSquares& sum) {
  add_squares_loop(values, count, scale, scale_again, sum);
}

template <class T>
SumOfSquares sum_of_all(std::span<const T> values, int exponent) {
  SumOfSquares total;
  std::mutex mutex;
  const int half = -exponent / 2;
  parallel_for(values.size(), parallel_grain, [&](Range part) {
    SumOfSquares sum;
    add_squares(values.data() + part.begin, part.size(), std::ldexp(1.0, half),
                std::ldexp(1.0, -exponent - half), sum);
    const std::lock_guard lock(mutex);
    total += sum;
  });
  return total;
}

}  // namespace

SumOfSquares& SumOfSquares::operator+=(const SumOfSquares& other) {
  high += other.high;
  low += other.low;
  return *this;
}

double SumOfSquares::norm(int exponent) const {
  const double sum = (static_cast<double>(high) + static_cast<double>(low) / two_to_32) / two_to_32;
  return std::ldexp(std::sqrt(sum), exponent);
}

int exponent_above(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(std::abs(x), &exponent);
  return mantissa == 0.5 ? exponent - 1 : exponent;
}

SumOfSquares sum_of_squares(std::span<const float> values, int exponent) {
  return sum_of_all(values, exponent);
}
SumOfSquares sum_of_squares(std::span<const double> values, int exponent) {
  return sum_of_all(values, exponent);
}

}  // namespace dnn
