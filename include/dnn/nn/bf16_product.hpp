#pragma once

#include <cstddef>
#include <memory>

#include "dnn/nn/bf16.hpp"
#include "dnn/nn/matrix_product.hpp"

namespace dnn {

/// c = op(a) · op(b) for one choice of op and extents: bf16 operands, float sums, float result
/// (oneDNN). Made once and run in every step: it owns all that the product needs besides its
/// operands. It runs on as many threads as set_product_threads said when it was made. Move-only.
class Bf16Product {
 public:
  /// op(a) is m x k, op(b) is k x n, c is m x n; any extent may be 0. Throws std::runtime_error if
  /// the processor has no way to multiply bf16 numbers.
  Bf16Product(Transpose transpose_a, Transpose transpose_b, std::size_t m, std::size_t n,
              std::size_t k);
  ~Bf16Product();
  Bf16Product(Bf16Product&&) noexcept;
  Bf16Product& operator=(Bf16Product&&) noexcept;

  /// Overwrites c. All three are stored row by row: a as m x k, or k x m where it is transposed; b
  /// as k x n, or n x k. Not to be called by two threads at once.
  void run(const Bf16* a, const Bf16* b, float* c);

 private:
  class Primitive;
  std::size_t size_;                      // of c
  std::unique_ptr<Primitive> primitive_;  // none if there is nothing to add up
};

}  // namespace dnn
