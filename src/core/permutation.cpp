#include "dnn/core/permutation.hpp"

#include <bit>
#include <stdexcept>

namespace dnn {

namespace {

/// A 64-bit mixing function: the finalizer of splitmix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014).
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
  value = (value ^ value >> 27) * 0x94d049bb133111ebU;
  return value ^ value >> 31;
}

}  // namespace

Permutation::Permutation(std::uint64_t count, const RandomStream& stream) : count_(count), keys_{} {
  if (count >> 40 != 0) {
    throw std::invalid_argument("Permutation: more than 2^40 elements");
  }
  const int bits = count > 1 ? static_cast<int>(std::bit_width(count - 1)) : 1;
  half_bits_ = (bits + 1) / 2;
  half_mask_ = (std::uint64_t{1} << half_bits_) - 1;
  for (int round = 0; round < rounds; ++round) {
    const auto words = stream.block(static_cast<std::uint32_t>(round));
    keys_[round] = std::uint64_t{words[0]} << 32 | words[1];
  }
}

std::uint64_t Permutation::encrypt(std::uint64_t value) const {
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & half_mask_;
  for (const std::uint64_t key : keys_) {
    const std::uint64_t next = left ^ (mix(right + key) & half_mask_);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

std::uint64_t Permutation::decrypt(std::uint64_t value) const {
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & half_mask_;
  for (int round = rounds; round-- > 0;) {
    const std::uint64_t before = right ^ (mix(left + keys_[round]) & half_mask_);
    right = left;
    left = before;
  }
  return left << half_bits_ | right;
}

std::uint64_t Permutation::operator()(std::uint64_t position) const {
  std::uint64_t value = position;
  do {
    value = encrypt(value);
  } while (value >= count_);
  return value;
}

std::uint64_t Permutation::position_of(std::uint64_t element) const {
  std::uint64_t value = element;
  do {
    value = decrypt(value);
  } while (value >= count_);
  return value;
}

}  // namespace dnn
