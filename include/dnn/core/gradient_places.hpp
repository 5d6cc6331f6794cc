#pragma once

// Where the gradients of one step are in a flat buffer of them, where some parameters have none.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "dnn/core/partition.hpp"

namespace dnn {

/// Where the gradients of one step are in a flat buffer that is laid out as the parameters are.
///
/// Note [Compact gradients]
/// Of sparse samples, only the rows of W^1 of the features that a batch uses have a gradient (see
/// Note [Gradients of active rows]). W^1 is the first tensor of the flat buffers. The gradients of
/// its active rows are packed, in ascending order, against the end of W^1's own place, where those
/// of all that follows begin. The packed order is the order of the parameters: what one range of
/// parameters has of gradients is one range, too.
class GradientPlaces {
 public:
  /// Every parameter has a gradient, at its own place.
  GradientPlaces() = default;

  /// Of a matrix at the beginning of the buffers, of `matrix_rows` rows of `width` elements, only
  /// the rows `active` (ascending; not copied, must stay as they are) have a gradient.
  GradientPlaces(std::size_t matrix_rows, std::size_t width, std::span<const std::uint32_t> active)
      : matrix_end_(matrix_rows * width), width_(width), active_(active) {}

  /// Whether every parameter has a gradient.
  [[nodiscard]] bool has_all() const { return matrix_end_ == 0; }

  /// Where the gradients of the active rows are.
  [[nodiscard]] Range active_rows() const { return {place_of_row(0), matrix_end_}; }

  /// Where the gradients of the parameters `elements` are; empty where these have none.
  [[nodiscard]] Range places_of(Range elements) const {
    return {place_of(elements.begin), place_of(elements.end)};
  }

  /// Calls visit(run, place) for runs of `elements`, ascending, that together are all of them that
  /// have a gradient: that of run.begin is at `place`, the others' follow.
  template <class Visitor>
  void for_each_run(Range elements, Visitor&& visit) const {
    const Range matrix = intersect(elements, {0, matrix_end_});
    for (std::size_t k = matrix.empty() ? active_.size() : first_from(matrix.begin / width_);
         k < active_.size() && active_[k] * width_ < matrix.end; ++k) {
      const std::size_t row = active_[k] * width_;
      const Range run = intersect(matrix, {row, row + width_});
      visit(run, place_of_row(k) + run.begin - row);
    }
    if (const Range rest{std::max(elements.begin, matrix_end_), elements.end};
        rest.begin < rest.end) {
      visit(rest, rest.begin);
    }
  }

 private:
  /// Of the active row number `k`.
  [[nodiscard]] std::size_t place_of_row(std::size_t k) const {
    return matrix_end_ - (active_.size() - k) * width_;
  }
  /// The number of the first active row from `row` on.
  [[nodiscard]] std::size_t first_from(std::size_t row) const {
    return static_cast<std::size_t>(std::lower_bound(active_.begin(), active_.end(), row) -
                                    active_.begin());
  }
  /// Of the first gradient of a parameter from `element` on.
  [[nodiscard]] std::size_t place_of(std::size_t element) const {
    if (element >= matrix_end_) {
      return element;
    }
    const std::size_t row = element / width_;
    const std::size_t k = first_from(row);
    return place_of_row(k) + (k < active_.size() && active_[k] == row ? element % width_ : 0);
  }

  std::size_t matrix_end_ = 0;
  std::size_t width_ = 0;
  std::span<const std::uint32_t> active_;
};

}  // namespace dnn
