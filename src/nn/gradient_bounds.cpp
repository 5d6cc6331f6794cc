#include "dnn/nn/gradient_bounds.hpp"

#include <algorithm>
#include <limits>

namespace dnn {

namespace {

/// What rounding (of sums, and of operands to bf16) can add to a product, with room to spare.
constexpr int rounding = 2;

}  // namespace

template <class T>
GradientBounds<T>::GradientBounds(std::size_t samples, bool first_is_split)
    : samples_(static_cast<T>(samples)),
      of_some_ranks_(first_is_split ? std::numeric_limits<T>::infinity() : 0) {}

template <class T>
T GradientBounds<T>::layer(T largest_x, T largest_da, bool split) {
  // 1 is what B is multiplied with; std::max returns a NaN that comes first.
  const T bound = rounding * samples_ * std::max(largest_x, T{1}) * largest_da;
  unsent_ += split ? bound : 0;
  return bound;
}

template class GradientBounds<float>;
template class GradientBounds<double>;

}  // namespace dnn
