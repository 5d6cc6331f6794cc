#include "dnn/nn/layer.hpp"

#include <utility>

#include "dnn/core/threads.hpp"
#include "dnn/nn/activation.hpp"

namespace dnn {

template <class T>
Layer<T>::Layer(const LayerPlace<T>& place, std::unique_ptr<LayerProducts<T>> products)
    : place_(place),
      products_(std::move(products)),
      nodes_(place.max_batch * place.layout.outputs),
      output_{nodes_.data(), place.max_batch, place.layout.outputs} {}

template <class T>
void Layer<T>::forward(const InputRows<T>& X, const DropoutKey* key) {
  const MatrixView<T> A = output(X.rows());
  largest_output_.clear();
  const auto activation = [&](Range rows, Range columns) { activate(A, key, rows, columns); };
  products_->forward(X, A, std::cref(activation));
}

template <class T>
void Layer<T>::activate(MatrixView<T> A, const DropoutKey* key, Range rows, Range columns) {
  if (!place_.hidden) {
    largest_output_.see(add_bias(A, place_.B, rows, columns));
    return;
  }
  T largest = add_bias_relu(A, place_.B, rows, columns);
  if (key != nullptr && place_.dropout > 0) {
    apply_dropout(A, place_.dropout, place_.number, *key, place_.layout.columns.begin, rows,
                  columns);
    largest *= static_cast<T>(1 / (1 - place_.dropout));
  }
  largest_output_.see(largest);
}

template <class T>
T Layer<T>::backward_input(MatrixView<const T> /*dA*/, const LayerBelow<T>& below,
                           GradientBounds<T>& /*bounds*/, const std::function<void()>& parameters) {
  parameters();
  LargestOf<T> largest;
  const auto masking = [&](Range rows, Range columns) {
    largest.see(relu_backward(below.X, below.scale, below.dA, rows, columns));
  };
  products_->backward_input(below.dA, std::cref(masking));
  return largest.value();
}

template <class T>
T Layer<T>::mask(const LayerBelow<T>& below) {
  LargestOf<T> largest;
  parallel_for_rows(below.dA.rows, below.dA.cols, [&](Range rows) {
    largest.see(relu_backward(below.X, below.scale, below.dA, rows, {0, below.dA.cols}));
  });
  return largest.value();
}

template class Layer<float>;
template class Layer<double>;

}  // namespace dnn
