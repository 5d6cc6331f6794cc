#pragma once

#include <cstdint>
#include <span>

#include "dnn/nn/parameter_layout.hpp"

namespace dnn {

enum class Initializer {
  automatic,  ///< as he, where nobody has chosen for the task
  he,         ///< uniform, variance 2 / M_{n-1} (He et al., ICCV 2015, eq. 10): made for ReLU
  xavier      ///< uniform, variance 2 / (M_{n-1} + M_n) (Glorot and Bengio, AISTATS 2010, eq. 16)
};

/// Fills `values` (layout.size() elements): W from the initializer, B and padding 0. Element (i, j)
/// of the whole layer n follows from (seed, n, i, j) alone, whoever holds it, and the uniform
/// distribution needs no library function whose last bit differs between machines.
template <class T>
void initialize(const ParameterLayout& layout, Initializer initializer, std::uint64_t seed,
                std::span<T> values);

}  // namespace dnn
