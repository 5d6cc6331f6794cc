#pragma once

#include <cstddef>
#include <memory>

#include "dnn/products/bf16_layout.hpp"

namespace dnn {

/// c = a · b for fixed extents: bf16 operands, float sums, float result (oneDNN). Made once and run
/// in every step: it owns all that the product needs besides its operands. It runs on as many
/// threads as set_product_threads said when it was made. Move-only.
class Bf16Product {
 public:
  /// a is m x k, b is k x n, c is m x n; any extent may be 0. a and c lie by rows, b as `layout`
  /// says. Throws std::runtime_error if the processor has no way to multiply bf16 numbers.
  Bf16Product(Bf16Layout layout, std::size_t m, std::size_t n, std::size_t k);
  ~Bf16Product();
  Bf16Product(Bf16Product&&) noexcept;
  Bf16Product& operator=(Bf16Product&&) noexcept;

  /// Overwrites c. Not to be called by two threads at once.
  void run(const Bf16* a, const Bf16* b, float* c);

  /// Whether oneDNN itself would choose panels for b on this processor. Where it would not, it
  /// still takes them, but may be slow: use rows.
  [[nodiscard]] static bool prefers_panels(std::size_t m, std::size_t n, std::size_t k);

 private:
  class Primitive;
  std::size_t size_;                      // of c
  std::unique_ptr<Primitive> primitive_;  // none if there is nothing to add up
};

}  // namespace dnn
