#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "support/test_numbers.hpp"

namespace dnn::test {

/// A LIBSVM file: 150 samples of 640 features in 10 classes. The first 100 features are rare, so
/// that a rank that owns their rows often has no gradients; feature 600 is in every sample, but is
/// not constant.
inline std::string sparse_text() {
  constexpr std::size_t samples = 150;
  const auto draws = numbers<double>(samples * 20, 11);
  std::string text;
  for (std::size_t s = 0; s < samples; ++s) {
    std::vector<int> columns = {600};
    if (s == 7) {
      columns.push_back(640);
    }
    if (s % 40 == 3) {
      columns.push_back(1 + static_cast<int>(s) / 2);
    }
    for (std::size_t k = 0; k < 10 + s % 5; ++k) {
      const double u = (draws[s * 20 + k] + 1) / 2;
      columns.push_back(101 + static_cast<int>(u * u * 539));
    }
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    text += std::to_string((columns[1] + columns[3]) % 10);
    for (const int column : columns) {
      text +=
          ' ' + std::to_string(column) + ':' +
          std::to_string(1.5 + draws[(s * 20 + static_cast<std::size_t>(column)) % draws.size()]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace dnn::test
