#include "dnn/nn/split_layers.hpp"

#include <utility>

#include "dnn/core/threads.hpp"
#include "dnn/products/full_products.hpp"

namespace dnn {

namespace {

/// A matrix and the element behind it, which carries a bound (see Note [Bounds of split layers]).
template <class T>
std::span<T> with_bound(MatrixView<T> matrix) {
  return {matrix.data, matrix.size() + 1};
}

}  // namespace

template <class T>
ColumnLayer<T>::ColumnLayer(const LayerPlace<T>& place, std::unique_ptr<LayerProducts<T>> products,
                            PartialSums<T>& group)
    : Layer<T>(place, std::move(products)), group_(group) {}

template <class T>
T ColumnLayer<T>::backward_input(MatrixView<const T> /*dA*/, const LayerBelow<T>& below,
                                 GradientBounds<T>& bounds,
                                 const std::function<void()>& parameters) {
  const std::span<T> sum = with_bound(below.dA);
  this->products().backward_input(below.dA, {});
  sum.back() = bounds.unsent();
  group_.begin(sum);
  parameters();
  group_.finish();
  bounds.receive(sum.back());
  return this->mask(below);
}

template <class T>
RowLayer<T>::RowLayer(const LayerPlace<T>& place, std::unique_ptr<LayerProducts<T>> products,
                      PartialSums<T>& group)
    : Layer<T>(place, std::move(products)), group_(group) {}

template <class T>
void RowLayer<T>::forward(const InputRows<T>& X, const DropoutKey* key) {
  const MatrixView<T> A = this->output(X.rows());
  this->largest_output_.clear();
  this->products().forward(X, A, {});
  group_.sum({A.data, A.size()});
  parallel_for_rows(A.rows, A.cols, [&](Range rows) { this->activate(A, key, rows, {0, A.cols}); });
}

template <class T>
ClassBlockLayer<T>::ClassBlockLayer(const LayerPlace<T>& place, DenseProducts<T>& products,
                                    std::vector<Range> blocks, BlockSums<T>& block_sums)
    : Layer<T>(place, std::make_unique<FullProducts<T>>(place.W, products)),
      dense_products_(products),
      blocks_(std::move(blocks)),
      block_sums_(block_sums),
      inputs_of_blocks_(blocks_.size() * (place.max_batch * place.layout.inputs + 1)),
      block_inputs_(blocks_.size()) {}

template <class T>
T ClassBlockLayer<T>::backward_input(MatrixView<const T> dA, const LayerBelow<T>& below,
                                     GradientBounds<T>& bounds,
                                     const std::function<void()>& parameters) {
  const std::size_t size = below.dA.size() + 1;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    block_inputs_[b] = inputs_of_blocks_.span().subspan(b * size, size);
    dense_products_.backward_input(dA, this->place().W, blocks_[b],
                                   {block_inputs_[b].data(), below.dA.rows, below.dA.cols});
    block_inputs_[b].back() = b == 0 ? bounds.unsent() : 0;
  }
  const std::span<T> sum = with_bound(below.dA);
  block_sums_.begin(block_inputs_, sum);
  parameters();
  block_sums_.finish();
  bounds.receive(sum.back());
  return this->mask(below);
}

template class ColumnLayer<float>;
template class ColumnLayer<double>;
template class RowLayer<float>;
template class RowLayer<double>;
template class ClassBlockLayer<float>;
template class ClassBlockLayer<double>;

}  // namespace dnn
