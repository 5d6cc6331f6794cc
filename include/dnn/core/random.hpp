#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dnn {

/// What a random number is for. Part of its key, so that two uses never share a stream.
enum class Purpose : std::uint32_t {
  initial_values = 1,
  split = 2,
  shuffle = 3,
  dropout = 4,
  made_up_data = 5,
  plotted_samples = 6,
  importance = 7,
  folds = 8,
  store_kept = 9,
  store_drawn = 10
};

/// A random number generator without state: the numbers at an index follow from the key alone
/// (Philox4x32-10; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). It is
/// keyed by what the numbers are for, never by rank or by the order of calls, so any number of
/// ranks draws the same ones.
class RandomStream {
 public:
  /// `layer` < 2^24, `epoch` < 2^24, `sample` < 2^40; larger values would meet other streams and
  /// throw std::invalid_argument.
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t layer = 0,
               std::uint64_t epoch = 0, std::uint64_t sample = 0);

  /// Four words of 32 random bits. `index` < 2^32.
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint32_t index) const;

  /// The words of blocks `first`, `first` + 1, ... in their order, as many as `words` has room for:
  /// what block() gives one by one, computed many blocks at a time.
  void blocks(std::uint32_t first, std::span<std::uint32_t> words) const;

  /// Word `index` of the stream: one of block(index / 4). `index` < 2^34.
  [[nodiscard]] std::uint32_t word(std::uint64_t index) const;

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 3> counter_;
};

/// 32 random bits as a number in (0, 1): the middle of its 2^-32 wide cell.
[[nodiscard]] constexpr double unit_interval(std::uint32_t bits) {
  return (static_cast<double>(bits) + 0.5) * 0x1p-32;
}

}  // namespace dnn
