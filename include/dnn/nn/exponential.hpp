#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "dnn/core/simd.hpp"

namespace dnn {

/// Constants of exp_of_nonpositive for T: where the exponent starts in its bits, ln 2 in two parts
/// (the first with so few bits that its product with a whole number is exact: Cody and Waite,
/// Software Manual for the Elementary Functions, 1980, with the constants of Moshier's Cephes
/// library), and the number that rounds by being added (1.5 · 2^digits: then the last bits are the
/// whole number's).
template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  using Bits = std::uint32_t;
  static constexpr int mantissa_bits = 23;
  static constexpr float smallest = -87.33654F;  ///< exp of it is the smallest normal number
  static constexpr float round = 0x1.8p23F;
  static constexpr float ln2_high = 0.693359375F;
  static constexpr float ln2_low = -2.12194440e-4F;
  /// 1/7!, 1/6!, ..., 1/2!: the series' rest is below 2^-27 for |r| <= ln 2 / 2.
  static constexpr float series[] = {1.F / 5040, 1.F / 720, 1.F / 120, 1.F / 24, 1.F / 6, 1.F / 2};
};

template <>
struct ExpConstants<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr double smallest = -708.39641853226408;
  static constexpr double round = 0x1.8p52;
  static constexpr double ln2_high = 6.93145751953125e-1;
  static constexpr double ln2_low = 1.42860682030941723212e-6;
  /// 1/13!, ..., 1/2!: the series' rest is below 2^-57.
  static constexpr double series[] = {1. / 6227020800, 1. / 479001600, 1. / 39916800, 1. / 3628800,
                                      1. / 362880,     1. / 40320,     1. / 5040,     1. / 720,
                                      1. / 120,        1. / 24,        1. / 6,        1. / 2};
};

/// exp(x) for x <= 0, without a branch or a call, so that a loop over it becomes vector
/// instructions. At most 2 ulp off; exactly 1 at 0 and exactly 0 at -inf. Results below the
/// smallest normal number (x < -87.33 in float, -708.39 in double) become 0. NaN stays NaN.
///
/// exp(x) = 2^n exp(r), n the whole number nearest to x / ln 2, r = x - n ln 2; exp(r) by its
/// series, and 2^n put together from its bits.
template <class T>
DNN_SIMD_BODY T exp_of_nonpositive(T x) {
  using C = ExpConstants<T>;
  using Bits = typename C::Bits;
  constexpr T per_ln2 = static_cast<T>(1.44269504088896340736);
  constexpr Bits one = std::bit_cast<Bits>(T{1});
  const T shifted = x * per_ln2 + C::round;
  const T n = shifted - C::round;
  const T r = (x - n * C::ln2_high) - n * C::ln2_low;
  T rest = C::series[0];
  for (std::size_t i = 1; i < std::size(C::series); ++i) {
    rest = rest * r + C::series[i];
  }
  const T exp_r = T{1} + (r + r * r * rest);
  const T power = std::bit_cast<T>((std::bit_cast<Bits>(shifted) << C::mantissa_bits) + one);
  return x < C::smallest ? T{0} : exp_r * power;
}

}  // namespace dnn
