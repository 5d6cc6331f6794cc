#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dnn/data/gatherer.hpp"

namespace dnn::test {

/// The features of one sample.
inline std::vector<double> row(const Dataset& data, std::uint64_t sample) {
  std::vector<double> x(data.features);
  Gatherer<double>(data, {}).gather(std::span(&sample, 1), {x.data(), 1, data.features});
  return x;
}

}  // namespace dnn::test
