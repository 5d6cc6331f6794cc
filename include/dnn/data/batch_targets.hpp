#pragma once

// The targets of a batch, gathered for any task.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/core/targets.hpp"
#include "dnn/data/gatherer.hpp"

namespace dnn {

/// Holds the classes or target rows and the weights of the samples of a batch: what Targets views.
class BatchTargets {
 public:
  /// Replaces what is held by the targets of `samples`; nothing of what the data set has none of.
  template <class T>
  void gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples);

  /// Valid until the next gather().
  [[nodiscard]] Targets view() const;

 private:
  std::vector<std::int32_t> labels_;
  std::vector<double> rows_;
  std::vector<double> weights_;
  std::size_t samples_ = 0;
};

}  // namespace dnn
