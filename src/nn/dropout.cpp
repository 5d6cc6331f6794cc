#include "dnn/nn/dropout.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "dnn/core/random.hpp"

namespace dnn {

template <class T>
void apply_dropout(MatrixView<T> X, double rate, std::uint64_t layer, const DropoutKey& key) {
  if (!(rate >= 0 && rate < 1)) {
    throw std::invalid_argument("apply_dropout: the rate must be in [0, 1)");
  }
  const T scale = static_cast<T>(1 / (1 - rate));
  const auto threshold = static_cast<std::uint32_t>(std::lround(rate * 0x1p16));
  constexpr std::size_t per_block = 8;  // 16 bits decide one element
  for (std::size_t s = 0; s < X.rows; ++s) {
    const RandomStream stream(key.seed, Purpose::dropout, layer, key.epoch, key.samples[s]);
    const std::span<T> row = X.row(s);
    for (std::size_t first = 0; first < row.size(); first += per_block) {
      const auto words = stream.block(static_cast<std::uint32_t>(first / per_block));
      const std::size_t count = std::min(per_block, row.size() - first);
      for (std::size_t j = 0; j < count; ++j) {
        const std::uint32_t bits = words[j / 2] >> (j % 2 * 16) & 0xffffU;
        row[first + j] = bits < threshold ? T{0} : row[first + j] * scale;
      }
    }
  }
}

template void apply_dropout(MatrixView<float>, double, std::uint64_t, const DropoutKey&);
template void apply_dropout(MatrixView<double>, double, std::uint64_t, const DropoutKey&);

}  // namespace dnn
