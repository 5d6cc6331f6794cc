#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/permutation.hpp"
#include "dnn/data/normalizer.hpp"
#include "dnn/plots/ranked_samples.hpp"
#include "dnn/plots/residual_histogram.hpp"

namespace dnn {

/// Predicted against true numbers of the first 6 outputs: points of some samples, and a histogram
/// of predicted less true of all.
class OutputPoints {
 public:
  /// `names`: of all outputs; must outlive it. `order`: of the data set's samples, the first ones
  /// of which become points where not all can be: 2,000, over all outputs.
  OutputPoints(const std::vector<std::string>& names, const Permutation& order);

  /// One output of one sample. Outputs that are not plotted are left out.
  void add(std::size_t output, std::uint64_t sample, double truth, double predicted);

  /// Collective: on rank 0, of each plotted output `name`, `points` ([true, predicted]) and
  /// `residuals`, see ResidualHistogram; elsewhere, parts of them. Numbers that were scaled by
  /// `scale` go back to their unit.
  [[nodiscard]] nlohmann::ordered_json finish(const Communicator& world,
                                              const Normalizer& scale) const;

 private:
  const std::vector<std::string>& names_;
  Permutation order_;
  std::vector<ResidualHistogram> residuals_;  ///< of each output that is plotted
  std::vector<RankedSamples> points_;
};

/// `scaled` in the unit that it had before `scale`.
[[nodiscard]] double in_unit(double scaled, const Normalizer& scale, std::size_t output);

}  // namespace dnn
