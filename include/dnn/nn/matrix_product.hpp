#pragma once

#include "dnn/core/matrix.hpp"

namespace dnn {

enum class Transpose { no, yes };

/// c = op(a) · op(b) + beta · c, where op transposes or not. With beta 0, c is not read.
/// float: oneDNN; double: OpenBLAS (oneDNN has no double product on CPUs). Any extent may be 0.
/// Throws std::invalid_argument if the extents do not fit, std::runtime_error if the library fails.
template <class T>
void multiply(Transpose transpose_a, MatrixView<const T> a, Transpose transpose_b,
              MatrixView<const T> b, T beta, MatrixView<T> c);

}  // namespace dnn
