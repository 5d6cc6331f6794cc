#pragma once

#include <array>
#include <cstdint>

#include "dnn/core/random.hpp"

namespace dnn {

/// A random permutation of [0, count) that is computed, not stored: any rank asks for any position
/// in constant time and memory, so that a data set of a billion samples needs no index array.
///
/// A balanced Feistel network over the smallest even number of bits that holds `count`, its rounds
/// keyed by the random stream; values that fall outside [0, count) walk on through the network
/// until one lies inside (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
class Permutation {
 public:
  /// `count` < 2^40. The same stream gives the same permutation.
  Permutation(std::uint64_t count, const RandomStream& stream);

  /// The element at `position` < count.
  [[nodiscard]] std::uint64_t operator()(std::uint64_t position) const;

  /// Where `element` < count stands: the inverse.
  [[nodiscard]] std::uint64_t position_of(std::uint64_t element) const;

  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  static constexpr int rounds = 8;
  [[nodiscard]] std::uint64_t encrypt(std::uint64_t value) const;
  [[nodiscard]] std::uint64_t decrypt(std::uint64_t value) const;

  std::uint64_t count_;
  int half_bits_;
  std::uint64_t half_mask_;
  std::array<std::uint64_t, rounds> keys_;
};

}  // namespace dnn
