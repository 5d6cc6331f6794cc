#pragma once

#include <cstddef>
#include <cstdint>

namespace dnn {

/// The sum of the elements' bits as whole numbers, modulo 2^64. It differs after any one bit has
/// flipped; it does not depend on the order, so parts of an array may be added up by anybody.
[[nodiscard]] std::uint64_t bit_sum(const float* elements, std::size_t count);
[[nodiscard]] std::uint64_t bit_sum(const double* elements, std::size_t count);

}  // namespace dnn
