#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// A sample that is listed, with what is told of it.
struct RankedSample {
  double rank = 0;           ///< the larger, the earlier it is listed
  std::uint64_t sample = 0;  ///< its index in the data set
  std::uint64_t output = 0;  ///< the class, label or target that it is listed for
  std::array<double, 3> values{};

  /// Whether it is listed before another: of equal ranks, the earlier sample and output.
  [[nodiscard]] bool before(const RankedSample& other) const;
};

/// Keeps the `most` samples of all that rank highest. Which they are does not depend on the order
/// in which, or the ranks on which, they are added.
class RankedSamples {
 public:
  explicit RankedSamples(std::size_t most) : most_(most) {}

  /// Adds a sample. One whose rank is NaN is left out.
  void add(const RankedSample& sample);

  /// Collective: on rank 0, those of all ranks, the first one first; elsewhere nothing.
  [[nodiscard]] std::vector<RankedSample> gather(const Communicator& world) const;

 private:
  std::size_t most_;
  std::vector<RankedSample> heap_;  ///< the one that is listed last on top
};

}  // namespace dnn
