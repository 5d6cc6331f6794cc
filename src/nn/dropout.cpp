#include "dnn/nn/dropout.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "dnn/core/random.hpp"
#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

constexpr std::size_t block_elements = 8;  ///< elements that a block of 4 words decides
constexpr std::size_t chunk = 256;         ///< elements decided at a time

/// 16 bits decide one element: the lower half of a word the even one, the upper half the odd one.
/// The first `skip` decisions are of elements before X.
template <class T>
DNN_SIMD_BODY void drop_chunk(const std::uint32_t* words, std::size_t skip, std::uint32_t threshold,
                              T scale, T* X, std::size_t count) {
  std::uint32_t bits[chunk];
  for (std::size_t i = 0; i < chunk / 2; ++i) {
    bits[2 * i] = words[i] & 0xffffU;
    bits[2 * i + 1] = words[i] >> 16;
  }
  for (std::size_t j = 0; j < count; ++j) {
    X[j] = bits[skip + j] < threshold ? T{0} : X[j] * scale;
  }
}
DNN_SIMD void drop(const std::uint32_t* words, std::size_t skip, std::uint32_t threshold,
                   float scale, float* X, std::size_t count) {
  drop_chunk(words, skip, threshold, scale, X, count);
}
DNN_SIMD void drop(const std::uint32_t* words, std::size_t skip, std::uint32_t threshold,
                   double scale, double* X, std::size_t count) {
  drop_chunk(words, skip, threshold, scale, X, count);
}

}  // namespace

template <class T>
void apply_dropout(MatrixView<T> X, double rate, std::uint64_t layer, const DropoutKey& key,
                   std::size_t first_node, Range rows, Range columns) {
  if (!(rate >= 0 && rate < 1)) {
    throw std::invalid_argument("apply_dropout: the rate must be in [0, 1)");
  }
  const T scale = static_cast<T>(1 / (1 - rate));
  const auto threshold = static_cast<std::uint32_t>(std::lround(rate * 0x1p16));
  std::uint32_t words[chunk / 2] = {};
  for (std::size_t s = rows.begin; s < rows.end; ++s) {
    const RandomStream stream(key.seed, Purpose::dropout, layer, key.epoch, key.samples[s]);
    T* const row = X.row(s).data();
    for (std::size_t j = columns.begin; j < columns.end;) {
      const std::size_t node = first_node + j;
      const std::size_t skip = node % block_elements;
      const std::size_t count = std::min(chunk - skip, columns.end - j);
      const std::size_t blocks = (skip + count + block_elements - 1) / block_elements;
      stream.blocks(static_cast<std::uint32_t>(node / block_elements),
                    std::span(words).first(4 * blocks));
      drop(words, skip, threshold, scale, row + j, count);
      j += count;
    }
  }
}

template void apply_dropout(MatrixView<float>, double, std::uint64_t, const DropoutKey&,
                            std::size_t, Range, Range);
template void apply_dropout(MatrixView<double>, double, std::uint64_t, const DropoutKey&,
                            std::size_t, Range, Range);

}  // namespace dnn
