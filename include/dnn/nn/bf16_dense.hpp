#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/nn/bf16.hpp"
#include "dnn/nn/bf16_product.hpp"

namespace dnn {

/// The three products of one dense layer in bf16: operands rounded to bf16, sums and results float;
/// shapes as in dense.hpp. It owns the rounded copies, so that each matrix is rounded once in a
/// step although two products use it. The first batch of each size makes its products
/// (milliseconds); later ones reuse them.
class Bf16Dense {
 public:
  enum class Backward { none, parameters, parameters_and_input };

  /// For batches of up to max_batch samples. `backward` says which gradients will be asked for.
  /// Throws std::runtime_error if the processor has no way to multiply bf16 numbers.
  Bf16Dense(std::size_t inputs, std::size_t outputs, std::size_t max_batch, Backward backward);

  /// Takes W as it is now: to be called before the first batch and whenever W has changed.
  void set_weights(MatrixView<const float> W);

  /// A = X W. Keeps X for backward_parameters.
  void forward(MatrixView<const float> X, MatrixView<float> A);

  /// dW = Xᵀ dA with the last forward's X; overwrites dW. Keeps dA for backward_input.
  void backward_parameters(MatrixView<const float> dA, MatrixView<float> dW);

  /// dX = dA Wᵀ with the last backward_parameters' dA.
  void backward_input(MatrixView<float> dX);

 private:
  /// A matrix as the right operand of one product and, where another needs it, by rows.
  struct RightOperand {
    RightOperand() = default;
    RightOperand(Bf16Layout chosen, std::size_t max_rows, std::size_t cols, bool also_by_rows);
    void round(MatrixView<const float> from);
    [[nodiscard]] const Bf16* data() const;

    Bf16Layout layout = Bf16Layout::rows;
    AlignedBuffer<Bf16> panels, rows;
  };
  struct Products {
    Bf16Product forward;
    std::optional<Bf16Product> parameters, input;
  };
  Products& products(std::size_t samples);
  void check(bool fits, const char* what) const;

  std::size_t inputs_, outputs_, max_batch_;
  Backward backward_;
  RightOperand W_;
  AlignedBuffer<Bf16> X_, X_columns_;
  RightOperand dA_;
  std::size_t samples_ = 0;                   // of the last forward
  std::map<std::size_t, Products> products_;  // by samples
};

}  // namespace dnn
