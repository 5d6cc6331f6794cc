#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dnn {

/// The sum of the elements' bits as whole numbers, modulo 2^32 (float) or 2^64. It differs after
/// any one bit has flipped; it does not depend on the order, so parts of an array may be added up
/// by anybody, in the type that it has.
[[nodiscard]] std::uint32_t bit_sum(std::span<const float> elements);
[[nodiscard]] std::uint64_t bit_sum(std::span<const double> elements);
/// Of bytes, as words of 8 and a rest.
[[nodiscard]] std::uint64_t bit_sum(std::span<const std::byte> bytes);

}  // namespace dnn
