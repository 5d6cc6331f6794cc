#pragma once

#include <span>

#include "dnn/core/matrix.hpp"

namespace dnn {

/// X = max(0, A + B), in place: A (S x M_n, without its bias) becomes X [Challa 2022, eq. 8, 20].
/// NaN stays NaN.
template <class T>
void add_bias_relu(MatrixView<T> A, std::span<const T> B);

/// dA = dX ⊙ [X > 0] · scale, in place: dX (S x M_n) becomes dA [Challa 2022, eq. 21-24]. X =
/// max(0, A) is positive exactly where A is, so A need not be kept; the derivative at A = 0 is 0.
/// `scale` is dropout's factor (1 without dropout), whose dropped nodes are 0 in X like dead ones.
///
/// Note [Dead nodes and the dense product]
/// The derivation observes that where a_i <= 0 the sum for dA_i need not be computed. Measured on
/// one AMD Zen 4 core, float, for the second product of 784-512-256-10 (dA 64 x 256, Wᵀ 256 x 512,
/// about half of the nodes dead), by tests/bench/bench_dead_relu: a vectorised dot product for each
/// live node alone takes DEAD_MEASURED times as long as oneDNN's whole product. Skipping single
/// sums takes away the reuse of rows in registers and cache that the blocked product lives on; it
/// would pay only with nearly all nodes dead. So the product is computed whole, and masked here.
template <class T>
void relu_backward(MatrixView<const T> X, T scale, MatrixView<T> dX);

}  // namespace dnn
