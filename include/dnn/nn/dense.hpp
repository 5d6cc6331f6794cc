#pragma once

#include <span>

#include "dnn/core/matrix.hpp"
#include "dnn/nn/matrix_product.hpp"

namespace dnn {

// The dense layer of a batch of S samples; shapes as in the derivation: X is S x M_{n-1}, W is
// M_{n-1} x M_n, B has M_n elements, A and dA are S x M_n. S may be 0.

/// A = X W, the accumulation without its bias [Challa 2022, eq. 7]; the bias is added together with
/// the activation (add_bias, add_bias_relu).
template <class T>
void dense_forward(MatrixView<const T> X, MatrixView<const T> W, MatrixView<T> A);

/// A += B for every sample [Challa 2022, eq. 8].
template <class T>
void add_bias(MatrixView<T> A, std::span<const T> B);

/// dW = Xᵀ dA and dB = Σ_samples dA [Challa 2022, eq. 18, 19, 24, 25]; overwrites dW and dB (with 0
/// for S = 0).
template <class T>
void dense_backward_parameters(MatrixView<const T> X, MatrixView<const T> dA, MatrixView<T> dW,
                               std::span<T> dB);

/// dB = Σ_samples dA alone [Challa 2022, eq. 19, 25]; overwrites dB.
template <class T>
void bias_gradient(MatrixView<const T> dA, std::span<T> dB);

/// dX = dA Wᵀ, the sum in [Challa 2022, eq. 22].
template <class T>
void dense_backward_input(MatrixView<const T> dA, MatrixView<const T> W, MatrixView<T> dX);

}  // namespace dnn
