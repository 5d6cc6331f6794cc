#pragma once

#include <string>

namespace dnn {

/// Lists the differences between two saved models or checkpoints.
struct ModelComparison {
  bool same_bits = false;  ///< all parameters are the same, to the last bit
  std::string text;        ///< in lines: that, the largest difference, and that of the environments

  /// Throws FileError or InputError.
  [[nodiscard]] static ModelComparison make(const std::string& first, const std::string& second);
};

}  // namespace dnn
