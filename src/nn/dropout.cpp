#include "dnn/nn/dropout.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "dnn/core/random.hpp"
#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

constexpr std::size_t chunk = 256;  ///< elements decided at a time; a block of 4 words decides 8

/// 16 bits decide one element: the lower half of a word the even one, the upper half the odd one.
template <class T>
DNN_SIMD_BODY void drop_chunk(const std::uint32_t* words, std::uint32_t threshold, T scale, T* X,
                              std::size_t count) {
  std::uint32_t bits[chunk];
  for (std::size_t i = 0; i < chunk / 2; ++i) {
    bits[2 * i] = words[i] & 0xffffU;
    bits[2 * i + 1] = words[i] >> 16;
  }
  for (std::size_t j = 0; j < count; ++j) {
    X[j] = bits[j] < threshold ? T{0} : X[j] * scale;
  }
}
DNN_SIMD void drop(const std::uint32_t* words, std::uint32_t threshold, float scale, float* X,
                   std::size_t count) {
  drop_chunk(words, threshold, scale, X, count);
}
DNN_SIMD void drop(const std::uint32_t* words, std::uint32_t threshold, double scale, double* X,
                   std::size_t count) {
  drop_chunk(words, threshold, scale, X, count);
}

}  // namespace

template <class T>
void apply_dropout(MatrixView<T> X, double rate, std::uint64_t layer, const DropoutKey& key,
                   std::size_t first_node) {
  if (!(rate >= 0 && rate < 1) || (X.cols > 0 && first_node % 8 != 0)) {
    throw std::invalid_argument(
        "apply_dropout: the rate must be in [0, 1), the first node a multiple of 8");
  }
  const T scale = static_cast<T>(1 / (1 - rate));
  const auto threshold = static_cast<std::uint32_t>(std::lround(rate * 0x1p16));
  parallel_for_rows(X.rows, X.cols, [&](Range rows) {
    std::uint32_t words[chunk / 2];
    for (std::size_t s = rows.begin; s < rows.end; ++s) {
      const RandomStream stream(key.seed, Purpose::dropout, layer, key.epoch, key.samples[s]);
      const std::span<T> row = X.row(s);
      for (std::size_t first = 0; first < row.size(); first += chunk) {
        stream.blocks(static_cast<std::uint32_t>((first_node + first) / 8), words);
        drop(words, threshold, scale, row.data() + first, std::min(chunk, row.size() - first));
      }
    }
  });
}

template void apply_dropout(MatrixView<float>, double, std::uint64_t, const DropoutKey&,
                            std::size_t);
template void apply_dropout(MatrixView<double>, double, std::uint64_t, const DropoutKey&,
                            std::size_t);

}  // namespace dnn
