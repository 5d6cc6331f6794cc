#pragma once

#include <span>

namespace dnn {

/// The passes of softmax over one row of logits `a`. What they return depends on the row alone:
/// neither on where it lies in memory nor on the rows beside it. Sums are kept in double, in a
/// fixed number of partial sums, so that 100,000 classes and more lose nothing.

/// m = max a; -inf for an empty row. NaN is passed over: it shows in the sum of the exponentials.
template <class T>
[[nodiscard]] T row_max(std::span<const T> a);

/// Σ exp(a_j - m). NaN if `a` holds NaN, or `max` is not finite. exp as in exp_of_nonpositive.
template <class T>
[[nodiscard]] double exp_sum(std::span<const T> a, T max);

/// As exp_sum (the same sum, bit for bit), and a_j becomes exp(a_j - m).
template <class T>
[[nodiscard]] double exp_row(std::span<T> a, T max);

/// Σ (a_j - m).
template <class T>
[[nodiscard]] double difference_sum(std::span<const T> a, T max);

/// a_j becomes a_j · scale - offset.
template <class T>
void scale_row(std::span<T> a, T scale, T offset);

}  // namespace dnn
