#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// Counts for each label how many samples have it, how many are given it, and how many both.
class LabelCounts {
 public:
  explicit LabelCounts(std::size_t labels) : counts_(per_label * labels) {}

  void add(std::size_t label, bool is_given, bool has_label) {
    std::uint64_t* const counts = &counts_[per_label * label];
    counts[0] += has_label ? 1 : 0;
    counts[1] += is_given ? 1 : 0;
    counts[2] += is_given && has_label ? 1 : 0;
  }

  /// Collective: `name`, `threshold` (empty `thresholds`: 1/2), `positives`, `given` and `right` of
  /// each label over all ranks; of more than 1,000 labels, those with the most errors. In the
  /// labels' order.
  [[nodiscard]] nlohmann::ordered_json finish(const Communicator& world,
                                              const std::vector<std::string>& names,
                                              const std::vector<double>& thresholds) const;

 private:
  static constexpr std::size_t per_label = 3;
  std::vector<std::uint64_t> counts_;
};

}  // namespace dnn
