#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace dnn::test {

using Integer = boost::multiprecision::cpp_int;

/// A finite double in units of 2^-1074, the smallest one: sums of such are exact.
inline Integer in_units(double x) {
  int exponent = 0;
  const auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(x, &exponent), 53));
  const int shift = exponent - 53 + 1074;
  const Integer magnitude = std::abs(mantissa);
  const Integer whole = shift >= 0 ? Integer(magnitude << shift) : Integer(magnitude >> -shift);
  return mantissa < 0 ? Integer(-whole) : whole;
}

}  // namespace dnn::test
