#pragma once

#include <bit>
#include <cstdint>

namespace dnn {

/// The float with the value of an IEEE 754 binary16 number (NumPy's float16), given by its bits.
/// Exact for all of them.
[[nodiscard]] inline float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t rest = half & 0x7fffU;
  if (rest >= 0x7c00U) {  // infinity and NaN
    return std::bit_cast<float>(sign | 0x7f800000U | rest << 13);
  }
  // The exponents' biases differ by 112; the product also brings subnormal numbers into place.
  const float magnitude = std::bit_cast<float>(rest << 13) * 0x1p112F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

}  // namespace dnn
