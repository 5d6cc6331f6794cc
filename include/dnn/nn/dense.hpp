#pragma once

#include <span>

#include "dnn/core/matrix.hpp"

namespace dnn {

// The bias of a dense layer of a batch of S samples: B has M_n elements, A and dA are S x M_n. S
// may be 0. Its products are DenseProducts and Bf16Dense.

/// A += B for every sample [Challa 2022, eq. 8].
template <class T>
void add_bias(MatrixView<T> A, std::span<const T> B);

/// dB = Σ_samples dA [Challa 2022, eq. 19, 25]; overwrites dB.
template <class T>
void bias_gradient(MatrixView<const T> dA, std::span<T> dB);

}  // namespace dnn
