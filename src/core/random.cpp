#include "dnn/core/random.hpp"

#include <Random123/philox.h>

#include <stdexcept>

namespace dnn {

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

std::uint32_t RandomStream::word(std::uint64_t index) const {
  return block(static_cast<std::uint32_t>(index / 4))[index % 4];
}

}  // namespace dnn
