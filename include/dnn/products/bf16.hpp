#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace dnn {

/// A float's upper half: sign, 8 bits of exponent, 7 of mantissa. A storage format alone; sums are
/// taken in float.
struct Bf16 {
  std::uint16_t bits;
};

/// Exact: every bf16 value is a float.
[[nodiscard]] inline float to_float(Bf16 x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16);
}

/// The nearest bf16 value, of two equally near ones the even; beyond the largest, infinity.
/// Denormal numbers are kept; NaN stays NaN.
[[nodiscard]] inline Bf16 to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16) & 1U);
  // Rounding could carry a NaN into infinity or zero: cut it off instead, and keep it quiet.
  const std::uint32_t nan = bits | 0x00400000U;
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  return {static_cast<std::uint16_t>((is_nan ? nan : rounded) >> 16)};
}

/// to_bf16 of every element. Throws std::invalid_argument if the lengths differ.
void to_bf16(std::span<const float> from, std::span<Bf16> to);

/// Whether this processor multiplies bf16 numbers itself. Without, oneDNN emulates bf16 products,
/// several times slower than float ones, or refuses them. With, they are faster on AMX (amx_bf16),
/// but not on an Intel core whose AMX is switched off, where avx512_bf16 is slower than float.
[[nodiscard]] bool has_bf16_unit();

}  // namespace dnn
