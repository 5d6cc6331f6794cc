#pragma once

#include <string>

namespace dnn {

/// What tells two saved models, or checkpoints, apart.
struct ModelComparison {
  bool same_bits = false;  ///< all parameters are the same, to the last bit
  std::string text;        ///< in lines: that, the largest difference, and that of the environments

  /// Throws FileError or InputError.
  [[nodiscard]] static ModelComparison make(const std::string& first, const std::string& second);
};

}  // namespace dnn
