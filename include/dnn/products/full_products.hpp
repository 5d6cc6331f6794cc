#pragma once

#include <span>

#include "dnn/products/dense_products.hpp"
#include "dnn/products/layer_products.hpp"

namespace dnn {

/// A layer's products in the type of its numbers and in one order of every sum, see DenseProducts.
template <class T>
class FullProducts final : public LayerProducts<T> {
 public:
  /// `products` owns the memory for packing, which all layers of a network share. Both must outlive
  /// this.
  FullProducts(MatrixView<const T> W, DenseProducts<T>& products) : W_(W), products_(products) {}

  void values_changed() override {}
  void forward(const InputRows<T>& X, MatrixView<T> A, const Epilogue& epilogue) override {
    products_.forward(X.dense(), W_, A, epilogue);
  }
  void begin_backward(const InputRows<T>& X, MatrixView<const T> dA,
                      std::span<const Range> shards) override {
    X_ = X.dense();
    dA_ = dA;
    shards_ = shards;
  }
  void backward_parameters(std::span<const ShardSum<T>> sums) override {
    products_.backward_parameters(X_, dA_, shards_, sums);
  }
  void backward_input(MatrixView<T> dX, const Epilogue& epilogue) override {
    products_.backward_input(dA_, W_, {0, dA_.cols}, dX, epilogue);
  }
  [[nodiscard]] T largest_gradient(std::span<const ShardSum<T>> /*sums*/) override {
    return products_.largest_gradient(X_, dA_, shards_);
  }

 private:
  MatrixView<const T> W_;
  DenseProducts<T>& products_;
  MatrixView<const T> X_, dA_;
  std::span<const Range> shards_;
};

}  // namespace dnn
