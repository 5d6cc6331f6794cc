#pragma once

#include <span>

namespace dnn {

/// The largest |value|; NaN if one is NaN, infinity if one is infinite, 0 for none. Compares bits,
/// and computes nothing that could overflow. In as many threads as there are.
[[nodiscard]] float largest_magnitude(std::span<const float> values);
[[nodiscard]] double largest_magnitude(std::span<const double> values);

}  // namespace dnn
