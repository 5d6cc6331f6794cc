#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/products/bf16.hpp"
#include "dnn/products/bf16_product.hpp"
#include "dnn/products/layer_products.hpp"

namespace dnn {

/// A layer's products in bf16: operands rounded to bf16, sums and results float, in oneDNN's order.
/// It owns the rounded copies, so that each matrix is rounded once in a step although two products
/// use it. The first batch of a size makes its products (milliseconds); later ones reuse them, as
/// long as there are few sizes.
/// A batch is one shard: whatever else is asked for, or does not fit, throws std::invalid_argument.
class Bf16Products final : public LayerProducts<float> {
 public:
  enum class Backward { none, parameters, parameters_and_input };

  /// For batches of up to max_batch samples. `backward` says which gradients will be asked for.
  /// Throws std::runtime_error if the processor has no way to multiply bf16 numbers.
  Bf16Products(MatrixView<const float> W, std::size_t max_batch, Backward backward);

  /// Rounds W as it is now.
  void values_changed() override;
  /// Keeps the rounded X for the parameters' gradients.
  void forward(const InputRows<float>& X, MatrixView<float> A, const Epilogue& epilogue) override;
  void begin_backward(const InputRows<float>& X, MatrixView<const float> dA,
                      std::span<const Range> shards) override;
  void backward_parameters(std::span<const ShardSum<float>> sums) override;
  void backward_input(MatrixView<float> dX, const Epilogue& epilogue) override;
  [[nodiscard]] float largest_gradient(std::span<const ShardSum<float>> sums) override;

  /// Of how many sizes of batches it has products now.
  [[nodiscard]] std::size_t sizes() const { return products_.size(); }
  /// The most sizes that it has products of.
  static constexpr std::size_t most_sizes = 32;

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
  Products& products_of(std::size_t samples);
  void check(bool fits, const char* what) const;

  MatrixView<const float> W_;
  std::size_t max_batch_;
  Backward backward_;
  RightOperand rounded_W_;
  AlignedBuffer<Bf16> X_, X_columns_;
  RightOperand rounded_dA_;
  MatrixView<const float> dA_;
  std::size_t samples_ = 0;                   // of the last forward
  std::map<std::size_t, Products> products_;  // by samples
};

}  // namespace dnn
