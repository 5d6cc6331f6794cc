#pragma once

#include <cstddef>
#include <vector>

#include "dnn/core/partition.hpp"

namespace dnn {

/// Where W^n and B^n of one layer lie in the flat buffers.
struct LayerLayout {
  std::size_t inputs = 0;   ///< M_{n-1}
  std::size_t outputs = 0;  ///< M_n
  Range weights;            ///< W^n, row-major M_{n-1} x M_n
  Range bias;               ///< B^n, M_n elements
};

/// The order of all parameters in one flat buffer: W^1, B^1, W^2, B^2, ... Each begins on a
/// multiple of 16 elements; the gaps between them are padding that stays zero. The same layout
/// serves values, gradients and the optimizer's state.
class ParameterLayout {
 public:
  /// `widths`: M_0 (features), M_1, ..., M_N (classes); at least two, none 0, else
  /// std::invalid_argument.
  explicit ParameterLayout(std::vector<std::size_t> widths);

  [[nodiscard]] const std::vector<std::size_t>& widths() const { return widths_; }
  [[nodiscard]] const std::vector<LayerLayout>& layers() const { return layers_; }
  /// Elements of a flat buffer, padding included.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Elements of all W and B.
  [[nodiscard]] std::size_t parameter_count() const { return count_; }
  /// The ranges of all W: what weight decay acts on.
  [[nodiscard]] std::vector<Range> weight_ranges() const;

 private:
  std::vector<std::size_t> widths_;
  std::vector<LayerLayout> layers_;
  std::size_t size_ = 0;
  std::size_t count_ = 0;
};

}  // namespace dnn
