#include "dnn/core/page_number.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace dnn {

double page_number(double value) {
  if (!std::isfinite(value)) {
    return value;
  }
  constexpr int digits = 6;
  std::array<char, 32> text{};  // a sign, a point, an exponent of 5 characters
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value,
                                     std::chars_format::general, digits);
  double rounded = value;  // stays where 6 digits are beyond the largest double
  std::from_chars(text.data(), written.ptr, rounded);
  return rounded;
}

}  // namespace dnn
