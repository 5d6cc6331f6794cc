#pragma once

#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// The products of a last layer that holds some blocks of the classes, see Note [Class blocks] and
/// dense.hpp for names and shapes. The bits of what a block gives depend on the block alone, not on
/// those beside it.
///
/// Note [Packed pieces]
/// The library may choose another kernel for other extents, and for another distance between the
/// rows of a matrix, which is the number of classes held. So each product is cut into pieces of a
/// block's columns, as many as fit a cache, and what lies in rows of classes is copied to or from
/// memory of the piece's own. One thread computes a piece alone.
template <class T>
class ClassBlockProducts {
 public:
  /// `blocks`: the columns of each block held, of those of W and A.
  explicit ClassBlockProducts(std::vector<Range> blocks);

  /// A = X W.
  void forward(MatrixView<const T> X, MatrixView<const T> W, MatrixView<T> A);

  /// dW = Xᵀ dA.
  void backward_parameters(MatrixView<const T> X, MatrixView<const T> dA, MatrixView<T> dW);

  /// dX[b] = dA_b W_bᵀ, of the columns of each block b: the parts of the sum dX = dA Wᵀ.
  void backward_input(MatrixView<const T> dA, MatrixView<const T> W,
                      const std::vector<MatrixView<T>>& dX);

 private:
  /// Memory for `elements`, for each thread.
  void reserve(std::size_t elements);

  std::vector<Range> blocks_;
  std::vector<Range> pieces_;              ///< of all blocks
  std::vector<AlignedBuffer<T>> scratch_;  ///< one for each thread
};

}  // namespace dnn
