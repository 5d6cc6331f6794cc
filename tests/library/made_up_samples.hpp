#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "dnn/dnn_train.hpp"

namespace dnn::test {

/// Samples with a known answer, of which each rank has some.
struct MadeUp {
  static constexpr std::size_t features = 3;
  std::vector<std::uint64_t> ids;
  std::vector<double> x;  ///< of each, row by row
  std::vector<double> y;  ///< a number
  std::vector<std::int32_t> classes;

  void add(std::uint64_t id) {
    ids.push_back(id);
    double sum = 0;
    for (std::size_t j = 0; j < features; ++j) {
      const double value = std::sin(0.37 * static_cast<double>(id) * static_cast<double>(j + 1));
      x.push_back(value);
      sum += value * static_cast<double>(j + 1);
    }
    y.push_back(10 + 3 * std::tanh(sum));
    classes.push_back(sum > 0.5 ? 2 : sum > -0.5 ? 1 : 0);
  }

  [[nodiscard]] dnn_train::Samples numbers() const {
    dnn_train::Samples samples;
    samples.features = dnn_train::Matrix::row_major(x.data(), ids.size(), features);
    samples.targets = dnn_train::Matrix::row_major(y.data(), ids.size(), 1);
    samples.ids = ids.data();
    return samples;
  }
  [[nodiscard]] dnn_train::Samples labelled() const {
    dnn_train::Samples samples = numbers();
    samples.targets = {};
    samples.classes = classes.data();
    return samples;
  }
};

/// Which of samples 0, 1, ... lies on which rank.
using Decomposition = std::function<int(std::uint64_t id, int ranks)>;

inline std::vector<Decomposition> decompositions() {
  return {
      [](std::uint64_t /*id*/, int /*ranks*/) { return 0; },
      [](std::uint64_t id, int ranks) {
        return static_cast<int>(id % static_cast<unsigned>(ranks));
      },
      [](std::uint64_t id, int ranks) { return std::min(static_cast<int>(id / 40), ranks - 1); }};
}

/// The samples of [first, last) that lie on a rank; in descending order, as nobody need sort them.
inline MadeUp samples_of(std::uint64_t first, std::uint64_t last, const Decomposition& lies,
                         int rank, int ranks) {
  MadeUp made;
  for (std::uint64_t id = last; id > first; --id) {
    if (lies(id - 1, ranks) == rank) {
      made.add(id - 1);
    }
  }
  return made;
}

}  // namespace dnn::test
