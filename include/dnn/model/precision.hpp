#pragma once

#include <cstddef>
#include <stdexcept>

namespace dnn {

/// The type of a network's numbers. bf16: float numbers, whose products have operands in bf16 and
/// sums in float.
enum class Precision { f32, f64, bf16 };

/// f32 or f64: the type of the parameters in models, checkpoints and memory.
[[nodiscard]] constexpr Precision stored_as(Precision precision) {
  return precision == Precision::f64 ? Precision::f64 : Precision::f32;
}

/// Bytes of a stored number.
[[nodiscard]] constexpr std::size_t element_bytes(Precision precision) {
  return precision == Precision::f64 ? sizeof(double) : sizeof(float);
}

/// The word of --precision.
[[nodiscard]] constexpr const char* word_for(Precision precision) {
  switch (precision) {
    case Precision::f32:
      return "float";
    case Precision::f64:
      return "double";
    case Precision::bf16:
      return "bf16";
  }
  throw std::logic_error("word_for: no such precision");
}

}  // namespace dnn
