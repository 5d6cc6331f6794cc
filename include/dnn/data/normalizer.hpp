#pragma once

#include <vector>

namespace dnn {

/// `common`: all features by one mean and one deviation.
enum class Normalization { none, minmax, standard, common };

/// How a raw feature becomes a network input: (raw - center) · scale, feature by feature, then
/// clipped to [-clip, clip]. Empty vectors leave features as they are.
struct Normalizer {
  std::vector<double> center;  ///< minmax: the minimum; standard: the mean; sparse rows: 0
  std::vector<double> scale;   ///< minmax: 1 / (max - min), of sparse rows 1 / max |raw|; standard:
                               ///< 1 / deviation; 0 if constant
  double clip = 0;             ///< 0: nothing is clipped

  [[nodiscard]] bool is_identity() const { return center.empty(); }
};

}  // namespace dnn
