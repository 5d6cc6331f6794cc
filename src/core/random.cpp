#include "dnn/core/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <stdexcept>

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

constexpr std::size_t group = 32;  ///< blocks computed at a time
constexpr std::size_t group_words = 4 * group;

using Key = std::array<std::uint32_t, 2>;
using Counter = std::array<std::uint32_t, 3>;

/// Philox4x32-10 (Salmon et al., SC 2011, section 4.3) of the counters (first + i, counter) for i <
/// 32, as Random123 computes it, but word by word over all the blocks (a structure of arrays), so
/// that the loops become vector instructions. Two or four registers' worth of blocks, since the
/// compiler (GCC 12) unrolls a loop over one register into scalar code.
DNN_SIMD_BODY void philox_group(const Counter& counter, const Key& key, std::uint32_t first,
                                std::uint32_t* words) {
  std::uint32_t c[4][group];
  for (std::size_t i = 0; i < group; ++i) {
    c[0][i] = first + static_cast<std::uint32_t>(i);
    c[1][i] = counter[0];
    c[2][i] = counter[1];
    c[3][i] = counter[2];
  }
  std::uint32_t k0 = key[0];
  std::uint32_t k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < group; ++i) {
      const std::uint64_t product0 = std::uint64_t{PHILOX_M4x32_0} * c[0][i];
      const std::uint64_t product1 = std::uint64_t{PHILOX_M4x32_1} * c[2][i];
      c[0][i] = static_cast<std::uint32_t>(product1 >> 32) ^ c[1][i] ^ k0;
      c[1][i] = static_cast<std::uint32_t>(product1);
      c[2][i] = static_cast<std::uint32_t>(product0 >> 32) ^ c[3][i] ^ k1;
      c[3][i] = static_cast<std::uint32_t>(product0);
    }
    k0 += PHILOX_W32_0;
    k1 += PHILOX_W32_1;
  }
  for (std::size_t i = 0; i < group; ++i) {
    words[4 * i] = c[0][i];
    words[4 * i + 1] = c[1][i];
    words[4 * i + 2] = c[2][i];
    words[4 * i + 3] = c[3][i];
  }
}

DNN_SIMD void philox(const Counter& counter, const Key& key, std::uint32_t first,
                     std::uint32_t* words, std::size_t count) {
  std::size_t done = 0;
  for (; done + group_words <= count; done += group_words) {
    philox_group(counter, key, first + static_cast<std::uint32_t>(done / 4), words + done);
  }
  if (done < count) {
    std::uint32_t last[group_words];
    philox_group(counter, key, first + static_cast<std::uint32_t>(done / 4), last);
    std::copy(last, last + (count - done), words + done);
  }
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t layer,
                           std::uint64_t epoch, std::uint64_t sample)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)} {
  if (layer >> 24 != 0 || epoch >> 24 != 0 || sample >> 40 != 0) {
    throw std::invalid_argument("RandomStream: layer, epoch or sample beyond the generator's key");
  }
  counter_ = {static_cast<std::uint32_t>(sample),
              static_cast<std::uint32_t>(epoch << 8 | sample >> 32),
              static_cast<std::uint32_t>(purpose) << 24 | static_cast<std::uint32_t>(layer)};
}

std::array<std::uint32_t, 4> RandomStream::block(std::uint32_t index) const {
  const r123::Philox4x32::ctr_type counter = {{index, counter_[0], counter_[1], counter_[2]}};
  const r123::Philox4x32::key_type key = {{key_[0], key_[1]}};
  const auto words = r123::Philox4x32()(counter, key);
  return {words[0], words[1], words[2], words[3]};
}

void RandomStream::blocks(std::uint32_t first, std::span<std::uint32_t> words) const {
  philox(counter_, key_, first, words.data(), words.size());
}

std::uint32_t RandomStream::word(std::uint64_t index) const {
  return block(static_cast<std::uint32_t>(index / 4))[index % 4];
}

}  // namespace dnn
