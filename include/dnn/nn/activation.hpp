#pragma once

#include <span>

#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

// What happens to node values and their derivatives element by element, in place, for a piece of a
// matrix: some of its rows and some of its columns. A layer calls these as epilogues of its
// products, so that a piece is still in the cache. Each returns the largest magnitude of what it
// wrote, which is NaN if an element is NaN.

/// A += B for every sample [Challa 2022, eq. 8]. A is S x M_n, B has M_n elements.
template <class T>
T add_bias(MatrixView<T> A, std::span<const T> B, Range rows, Range columns);

/// X = max(0, A + B): A (S x M_n, without its bias) becomes X [Challa 2022, eq. 8, 20]. NaN stays
/// NaN.
template <class T>
T add_bias_relu(MatrixView<T> A, std::span<const T> B, Range rows, Range columns);

/// dA = dX ⊙ [X > 0] · scale: dX (S x M_n) becomes dA [Challa 2022, eq. 21-24]. X = max(0, A) is
/// positive exactly where A is, so A need not be kept; the derivative at A = 0 is 0. `scale` is
/// dropout's factor (1 without dropout), whose dropped nodes are 0 in X like dead ones.
///
/// Note [Dead nodes and the dense product]
/// The derivation observes that where a_i <= 0 the sum for dA_i need not be computed. Measured by
/// tests/bench/bench_dead_relu on one core of an Intel Xeon (AVX-512, AMX; a virtual machine at 2.6
/// GHz), float, for the second product of 784-512-256-10 (dA 64 x 256, Wᵀ 256 x 512): a vectorised
/// dot product for each live node alone takes 2.0 times as long as the whole product and this mask
/// with half of the nodes dead, 1.1 times with 75 %, 0.6 times with 90 %; the two meet at about 79
/// %. Skipping single sums takes away the reuse of rows in registers and cache that the blocked
/// product lives on. About half is what training begins with (values drawn around 0), and the dense
/// product's time does not depend on the data; so it is computed whole, and masked here. A network
/// in which nearly all nodes are dead would gain from skipping, in this one product of its step.
template <class T>
T relu_backward(MatrixView<const T> X, T scale, MatrixView<T> dX, Range rows, Range columns);

}  // namespace dnn
