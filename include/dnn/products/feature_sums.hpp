#pragma once

#include <cstddef>
#include <span>

#include "dnn/core/input_rows.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/products/tile_kernel.hpp"

namespace dnn {

/// Rows of dW = Xᵀ dA [Challa 2022, eq. 24] of sparse samples: those of the active features alone.
/// The bits are those of the dense product of the same samples, along the same tree over their
/// shards; see Note [Sums over the terms that are there]. Owns nothing.
template <class T>
class FeatureSums {
 public:
  /// `columns`: of X, whose rows are those of dA. `shards`: the rows of each, one after the other
  /// from row 0 on. `kernel`: one of tile_kernels().
  FeatureSums(const ActiveColumns<T>& columns, MatrixView<const T> dA,
              std::span<const Range> shards,
              const TileKernel<T>& kernel = tile_kernels<T>().front())
      : columns_(columns), dA_(dA), shards_(shards), kernel_(kernel) {}

  /// Row k of `rows` (columns.active.size() x M_1) becomes that of active feature number k, summed
  /// over the shards of `node`, a node of the tree. In threads.
  void run(Range node, MatrixView<T> rows) const;

  /// The largest |dW| of any one shard; NaN where one is.
  [[nodiscard]] T largest() const;

 private:
  /// Stored values of one feature, as indices into columns_.
  struct Terms {
    std::size_t begin;
    std::size_t end;
  };

  void sum_feature(std::size_t k, Range node, std::span<T> to, std::span<T> room) const;
  void add_up(Terms terms, Range node, std::span<T> to, std::span<T> room) const;
  void sum_terms(Terms terms, std::span<T> to) const;
  [[nodiscard]] std::size_t first_term(Terms terms, std::size_t row) const;

  ActiveColumns<T> columns_;
  MatrixView<const T> dA_;
  std::span<const Range> shards_;
  const TileKernel<T>& kernel_;
};

}  // namespace dnn
