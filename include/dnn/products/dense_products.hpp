#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/products/layer_products.hpp"
#include "dnn/products/packing.hpp"
#include "dnn/products/tile_kernel.hpp"

namespace dnn {

/// The products of a dense layer of a batch of S samples. Shapes as in the derivation: X is S x
/// M_{n-1}, W is M_{n-1} x M_n, A and dA are S x M_n; any extent may be 0. The bits of an element
/// depend on its operands alone: see Note [Sums in order] for one shard, and Note [One tree over
/// logical shards] for the sum of several. Owns the memory that operands are packed into, which
/// grows with the largest product.
///
/// Note [Why products of our own]
/// A BLAS library chooses a kernel, and with it an order of summation, by the extents of a product:
/// a batch of 64 samples at once and eight shards of 8 of them give different bits. So it would
/// have to be called for one shard at a time on a rank that has several, and for each of these dW
/// would be written and added up in memory: measured, one rank took 2 to 5 times as long for eight
/// shards as for the batch. With products in a fixed order, forward and dX take all samples of a
/// rank at once, and the tree over the shards is added up in registers. The library's version does
/// not count either. bench_products in tests/bench measures them beside oneDNN's and OpenBLAS's.
template <class T>
class DenseProducts {
 public:
  /// `kernel`: one of tile_kernels().
  explicit DenseProducts(const TileKernel<T>& kernel = tile_kernels<T>().front())
      : kernel_(kernel) {}

  /// A = X W [Challa 2022, eq. 7].
  void forward(MatrixView<const T> X, MatrixView<const T> W, MatrixView<T> A,
               const Epilogue& epilogue = {});

  /// dX = dA Wᵀ, the sum in [Challa 2022, eq. 22], summed over the columns [columns.begin,
  /// columns.end) of dA and W alone.
  void backward_input(MatrixView<const T> dA, MatrixView<const T> W, Range columns,
                      MatrixView<T> dX, const Epilogue& epilogue = {});

  /// dW = Xᵀ dA and dB = Σ dA [Challa 2022, eq. 18, 19, 24, 25] for each of `sums`, along the tree
  /// over its shards. `shards`: the rows of each, one after the other from row 0 on; may be empty.
  void backward_parameters(MatrixView<const T> X, MatrixView<const T> dA,
                           std::span<const Range> shards, std::span<const ShardSum<T>> sums);

  /// The largest |dW| or |dB| of any one shard; NaN where one is. For the rare step whose gradients
  /// may be too large: computes them again, a few rows of dW at a time, in one thread.
  [[nodiscard]] T largest_gradient(MatrixView<const T> X, MatrixView<const T> dA,
                                   std::span<const Range> shards);

 private:
  /// c = a b, of pieces of larger matrices.
  struct Pieces {
    const T* a;  ///< the terms of a sum lie one after the other
    std::size_t a_row;
    RightOperand<T> b;
    std::size_t terms;
    T* c;
    std::size_t c_row;
    bool whole_vectors;  ///< the rows of c have room for them
    const Epilogue& epilogue;
    std::size_t row = 0;  ///< of the result, where c begins
    std::size_t column = 0;
  };
  /// Columns of a product that are computed together.
  struct Panel {
    Range columns;
    std::size_t vectors;  ///< that they take
    std::size_t width;    ///< elements of so many vectors
  };
  /// What one thread packs operands and partial sums into.
  struct Lane {
    AlignedBuffer<T> a, b, tile, stack, sums;
    std::vector<Panel> panels;
  };

  /// Calls work(rows, columns, lane) for parts of a product of so many, in threads where it has
  /// enough `terms` for each element.
  template <class Work>
  void in_parts(std::size_t rows, std::size_t columns, std::size_t terms, Work&& work);
  [[nodiscard]] std::size_t vectors(std::size_t columns) const;

  /// All panels of so many columns, kept in `lane`.
  std::span<const Panel> cut(std::size_t columns, Lane& lane) const;
  void multiply(const Pieces& pieces, std::size_t rows, std::size_t columns, Lane& lane) const;
  void run_tile(const TileSum<T>& sum, std::size_t rows, const Panel& panel, bool whole_vectors,
                Lane& lane) const;
  /// Rows `inputs` and columns `outputs` of a node's dW; dB, where the rows are the first.
  void sum_shards(MatrixView<const T> X, MatrixView<const T> dA, Range samples,
                  std::span<const TreeLeaf> leaves, const ShardSum<T>& sum, Range inputs,
                  Range outputs, Lane& lane) const;

  TileKernel<T> kernel_;
  std::vector<Lane> lanes_;
  std::vector<TreeLeaf> leaves_;  ///< of the sum that is being computed
};

}  // namespace dnn
