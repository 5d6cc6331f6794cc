#pragma once

#include <cstddef>

namespace dnn {

/// Upper bounds of |dW| and |dB| of one backward pass, from the largest |X| and |dA| of each layer:
/// |dW_ij| = |Σ_s X_si dA_sj| <= S max |X| max |dA|. They say that gradients can be summed without
/// overflow before anyone has looked at them; X and dA are far smaller than dW. A bound that is
/// infinite or NaN says nothing, and the gradients must be looked at.
///
/// Note [Bounds of split layers]
/// Of a network on several ranks, each rank bounds its part of the split layers alone. The ranks
/// exchange their bounds with sums that they take anyway: the bounds found since the last sum of dX
/// over the group travel as one more element of the next sum. A sum of bounds is a bound of each,
/// and what is infinite or NaN stays so.
template <class T>
class GradientBounds {
 public:
  /// `samples`: S. `first_is_split`: the gradients of the first layer come after the last sum, so
  /// what only some ranks have cannot be bounded.
  GradientBounds(std::size_t samples, bool first_is_split);

  /// The bound of a layer. `largest_x`: of its input; `largest_da`: of its dA. `split`: whether the
  /// ranks hold different parts of it.
  T layer(T largest_x, T largest_da, bool split);

  /// The bounds to send with the next sum.
  [[nodiscard]] T unsent() const { return unsent_; }
  /// Takes the sum of all ranks' unsent() bounds.
  void receive(T sum) {
    of_some_ranks_ += sum;
    unsent_ = 0;
  }
  /// A bound, the same on all ranks, of those gradients that only some ranks have.
  [[nodiscard]] T of_some_ranks() const { return of_some_ranks_; }

 private:
  T samples_;
  T of_some_ranks_;
  T unsent_ = 0;
};

}  // namespace dnn
