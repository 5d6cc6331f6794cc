#include "dnn/products/sparse_products.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "dnn/core/add.hpp"
#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

/// Multiplications that make a thread of its own worth while.
constexpr std::size_t product_grain = std::size_t{1} << 19;

/// Rows that make one, of a product whose rows cost so many multiplications together.
std::size_t rows_for_a_thread(std::size_t rows, std::size_t multiplications) {
  return std::max<std::size_t>(1, rows * product_grain / (multiplications + 1));
}

}  // namespace

template <class T>
SparseProducts<T>::SparseProducts(MatrixView<const T> W, DenseProducts<T>& products,
                                  const TileKernel<T>& kernel)
    : W_(W), products_(products), kernel_(kernel) {}

template <class T>
void SparseProducts<T>::forward(const InputRows<T>& X, MatrixView<T> A, const Epilogue& epilogue) {
  const SparseRows<T>& rows = X.sparse();
  const std::size_t grain = rows_for_a_thread(A.rows, rows.values.size() * A.cols);
  parallel_for(A.rows, grain, [&](Range some) {
    for (std::size_t s = some.begin; s < some.end; ++s) {
      const std::size_t first = rows.offsets[s];
      kernel_.indexed({rows.values.data() + first, rows.columns.data() + first,
                       rows.offsets[s + 1] - first, W_.data, W_.cols, W_.cols, A.row(s).data()});
      if (epilogue) {
        epilogue({s, s + 1}, {0, A.cols});
      }
    }
  });
}

template <class T>
void SparseProducts<T>::begin_backward(const InputRows<T>& X, MatrixView<const T> dA,
                                       std::span<const Range> shards) {
  columns_ = X.columns();
  dA_ = dA;
  shards_ = shards;
}

template <class T>
void SparseProducts<T>::backward_parameters(std::span<const ShardSum<T>> sums) {
  const std::size_t active = columns_.active.size();
  const std::size_t grain = rows_for_a_thread(active, columns_.values.size() * dA_.cols);
  for (const ShardSum<T>& sum : sums) {
    const std::size_t first = sum.dW.rows - active;
    parallel_for(active, grain, [&](Range some) {
      std::vector<T> room(static_cast<std::size_t>(std::bit_width(sum.shards.size())) * dA_.cols);
      for (std::size_t k = some.begin; k < some.end; ++k) {
        sum_feature({columns_.offsets[k], columns_.offsets[k + 1]}, sum.shards,
                    sum.dW.row(first + k), room);
      }
    });
  }
  std::vector<ShardSum<T>> of_bias(sums.begin(), sums.end());
  for (ShardSum<T>& sum : of_bias) {
    sum.dW.rows = 0;
  }
  products_.backward_parameters(no_features(), dA_, shards_, of_bias);
}

/// One row of dW, summed over the shards of a node of the tree.
template <class T>
void SparseProducts<T>::sum_feature(Terms terms, Range shards, std::span<T> to,
                                    std::span<T> room) const {
  if (terms.begin < terms.end) {
    terms.begin = first_term(terms, shards_[shards.begin].begin);
    terms.end = first_term(terms, shards_[shards.end - 1].end);
  }
  if (terms.end - terms.begin <= 1) {
    sum_terms(terms, to);
  } else {
    add_up(terms, shards, to, room);
  }
}

/// Along the tree; `terms` are all of the node's, at least one. A child without terms is left out:
/// a sum that is not -0 does not change by adding 0.
template <class T>
void SparseProducts<T>::add_up(Terms terms, Range node, std::span<T> to, std::span<T> room) const {
  if (node.size() == 1) {
    sum_terms(terms, to);
    return;
  }
  // Node indices within shards_ begin anywhere; the tree's shape depends on the size alone.
  const std::size_t middle = node.begin + right_child({0, node.size()});
  const std::size_t split = first_term(terms, shards_[middle].begin);
  const Terms left{terms.begin, split};
  const Terms right{split, terms.end};
  if (left.begin == left.end) {
    add_up(right, {middle, node.end}, to, room);
  } else if (right.begin == right.end) {
    add_up(left, {node.begin, middle}, to, room);
  } else {
    add_up(left, {node.begin, middle}, to, room);
    const std::span<T> of_right = room.first(to.size());
    add_up(right, {middle, node.end}, of_right, room.subspan(to.size()));
    add(of_right.data(), to.data(), to.size());
  }
}

template <class T>
void SparseProducts<T>::sum_terms(Terms terms, std::span<T> to) const {
  kernel_.indexed({columns_.values.data() + terms.begin, columns_.rows.data() + terms.begin,
                   terms.end - terms.begin, dA_.data, dA_.cols, dA_.cols, to.data()});
}

/// The first of a feature's terms whose sample is `sample` or a later one.
template <class T>
std::size_t SparseProducts<T>::first_term(Terms terms, std::size_t sample) const {
  const auto* const begin = columns_.rows.data();
  return static_cast<std::size_t>(std::lower_bound(begin + terms.begin, begin + terms.end, sample) -
                                  begin);
}

template <class T>
void SparseProducts<T>::backward_input(MatrixView<T> /*dX*/, const Epilogue& /*epilogue*/) {
  throw std::logic_error("SparseProducts: nothing is below a first layer");
}

template <class T>
T SparseProducts<T>::largest_gradient(std::span<const ShardSum<T>> /*sums*/) {
  T largest = products_.largest_gradient(no_features(), dA_, shards_);
  std::vector<T> row(dA_.cols);
  for (std::size_t k = 0; k < columns_.active.size(); ++k) {
    for (std::size_t i = 0; i < shards_.size() && !std::isnan(largest); ++i) {
      sum_feature({columns_.offsets[k], columns_.offsets[k + 1]}, {i, i + 1}, row, {});
      const T found = largest_magnitude(std::span<const T>(row));
      largest = std::max(found, largest);  // which returns a NaN that comes first
    }
  }
  return largest;
}

template class SparseProducts<float>;
template class SparseProducts<double>;

}  // namespace dnn
