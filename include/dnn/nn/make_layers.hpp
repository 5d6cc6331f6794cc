#pragma once

// Decides which kind of layer and of matrix product each layer of a network gets.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "dnn/nn/block_sums.hpp"
#include "dnn/nn/layer.hpp"
#include "dnn/nn/partial_sums.hpp"
#include "dnn/products/dense_products.hpp"

namespace dnn {

/// How a network's products are computed. full: in the type of all its numbers and in one order of
/// every sum, see DenseProducts; bf16: operands rounded to bf16 and sums in float, in oneDNN's
/// order, for networks of float.
enum class ProductKind { full, bf16 };

/// What a network is made of, besides its parameters.
template <class T>
struct NetworkParts {
  std::size_t max_batch = 0;  ///< the most samples of a batch
  double dropout = 0;         ///< the rate after every hidden layer, [0, 1)
  ProductKind products = ProductKind::full;
  /// Whether samples come as sparse rows (see InputRows): the first layer's products are then
  /// SparseProducts, whatever `products` says.
  bool sparse_input = false;
  /// Of a network on several ranks: the sums that its split layers take. Null: it is whole.
  PartialSums<T>* group = nullptr;
  /// Of a network with blocks of classes (see Note [Class blocks]): their sums. Not needed where
  /// the network never goes backward.
  BlockSums<T>* block_sums = nullptr;
};

/// Makes the layers of `layout`: the only place that decides which kind of layer and of products
/// each one gets. `values`: layout.size() elements; `goes_backward`: whether gradients will be
/// asked for; `products`: shared by all layers that are not in bf16. `values`, `products` and what
/// `parts` points to must outlive the layers. Throws std::runtime_error if this processor cannot
/// multiply as `parts` says, std::invalid_argument for blocks of classes without sums or in bf16.
template <class T>
[[nodiscard]] std::vector<std::unique_ptr<Layer<T>>> make_layers(const ParameterLayout& layout,
                                                                 std::span<const T> values,
                                                                 bool goes_backward,
                                                                 const NetworkParts<T>& parts,
                                                                 DenseProducts<T>& products);

}  // namespace dnn
