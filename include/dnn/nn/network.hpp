#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/nn/bf16_dense.hpp"
#include "dnn/nn/dropout.hpp"
#include "dnn/nn/parameter_layout.hpp"

namespace dnn {

/// What a network's products are computed in: in full, the type of all its numbers; bf16, operands
/// rounded to bf16 and sums in float, for networks of float.
enum class ProductPrecision { full, bf16 };

/// dW and dB of a layer, complete.
template <class T>
struct LayerGradients {
  std::size_t layer = 0;  ///< n, from 1
  Range range;            ///< of both in the flat buffers
  /// No |dW| or |dB| is above it; infinity or NaN where that cannot be said without looking at
  /// them: |dW_ij| = |Σ_s X_si dA_sj| <= S max |X| max |dA|, and X and dA are far smaller than dW.
  T bound = 0;
};

/// The fully connected network: ReLU between layers, logits at the end [Challa 2022, eq. 7-20].
///
/// Holds views into a flat buffer of values and one of gradients that the caller owns (both
/// layout.size() elements, both outliving the network), and owns the node values of one batch.
/// forward and backward allocate nothing.
template <class T>
class Network {
 public:
  /// `max_batch`: the most samples of a batch. `dropout`: the rate after every hidden layer, [0,
  /// 1). A network whose `gradients` are empty cannot go backward.
  /// Throws std::runtime_error where this processor cannot multiply as `products` says.
  Network(const ParameterLayout& layout, std::span<const T> values, std::span<T> gradients,
          std::size_t max_batch, double dropout = 0,
          ProductPrecision products = ProductPrecision::full);

  /// To be called before the first forward and whenever the values have changed: products in bf16
  /// work on rounded copies of W.
  void values_changed();

  /// The logits A^N (S x M_N) of X^0 (S x M_0), S <= max_batch. `key` draws the dropout masks; null
  /// runs without dropout. The view is valid, and may be written, until the next call.
  MatrixView<T> forward(MatrixView<const T> X, const DropoutKey* key = nullptr);

  /// After forward(X): writes dW and dB of every layer, last layer first, into the gradients, from
  /// dA^N, which the caller has put in place of the logits. All of them are taken with the values
  /// that forward used: the update is deferred until every layer is done.
  /// `ready` hears of each layer's gradients as soon as they are complete. `largest_input`: no
  /// |X^0| is above it.
  void backward(MatrixView<const T> X, T largest_input,
                const std::function<void(const LayerGradients<T>&)>& ready);

 private:
  struct Layer {
    MatrixView<const T> W;
    std::span<const T> B;
    MatrixView<T> dW;
    std::span<T> dB;
    Range range;      ///< of both in the flat buffers
    MatrixView<T> X;  ///< node values (logits in the last layer), max_batch x M_n
    std::optional<Bf16Dense> bf16;
  };

  void multiply_forward(Layer& layer, MatrixView<const T> X, MatrixView<T> A);
  void multiply_backward(Layer& layer, MatrixView<const T> X, MatrixView<const T> dA);
  void multiply_input(Layer& layer, MatrixView<const T> dA, MatrixView<T> dX);

  std::vector<Layer> layers_;
  AlignedBuffer<T> nodes_;
  AlignedBuffer<T> dA_[2];  ///< dA^n and dA^{n-1} of the hidden layers, in turns
  double dropout_;
  bool dropped_ = false;  ///< whether the last forward drew masks
};

}  // namespace dnn
