#include "dnn/core/exact_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace dnn {

namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr int digit_bits = 32;
constexpr std::int64_t digit_base = std::int64_t{1} << digit_bits;
constexpr std::int64_t digit_mask = digit_base - 1;
constexpr int lowest_exponent = -1074;
constexpr int mantissa_bits = 53;

/// `mantissa` · 2^exponent, where that has no more bits than a double; infinity above all of them.
double scaled(std::uint64_t mantissa, int exponent) {
  return std::ldexp(static_cast<double>(mantissa), exponent);
}

}  // namespace

ExactSum& ExactSum::operator+=(double x) {
  constexpr std::uint64_t hidden = std::uint64_t{1} << (mantissa_bits - 1);
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto field = static_cast<int>((bits >> (mantissa_bits - 1)) & 0x7FF);
  if (field == 0x7FF) {
    words_[digits] = 1;
    return *this;
  }
  const std::uint64_t mantissa = (bits & (hidden - 1)) | (field > 0 ? hidden : 0);
  const int shift = std::max(field - 1, 0);  // of the mantissa above 2^-1074
  const auto first = static_cast<std::size_t>(shift / digit_bits);
  const auto whole = static_cast<Uint128>(mantissa) << (shift % digit_bits);
  const std::int64_t sign = (bits >> 63) != 0 ? -1 : 1;
  for (std::size_t i = 0; i < 3; ++i) {
    words_[first + i] += sign * (static_cast<std::int64_t>(whole >> (digit_bits * i)) & digit_mask);
  }
  if (++pending_ >= most_pending) {
    carry();
  }
  return *this;
}

ExactSum& ExactSum::operator+=(const ExactSum& other) {
  if (pending_ + other.pending_ + 1 >= most_pending) {
    carry();
    ExactSum rest = other;
    rest.carry();
    for (std::size_t i = 0; i < words; ++i) {
      words_[i] += rest.words_[i];
    }
    pending_ = 2;
    return *this;
  }
  for (std::size_t i = 0; i < words; ++i) {
    words_[i] += other.words_[i];
  }
  pending_ += other.pending_ + 1;
  return *this;
}

/// Every digit but the topmost becomes one of 0 to 2^32 - 1; that one has the sum's sign.
void ExactSum::carry() {
  for (std::size_t i = 0; i + 1 < digits; ++i) {
    const std::int64_t carried = words_[i] >> digit_bits;  // rounds towards minus infinity
    words_[i] -= carried * digit_base;
    words_[i + 1] += carried;
  }
  words_[digits] = words_[digits] != 0 ? 1 : 0;
  pending_ = 1;
}

double ExactSum::value() const {
  ExactSum sum = *this;
  sum.carry();
  if (sum.words_[digits] != 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const bool negative = sum.words_[digits - 1] < 0;
  if (negative) {
    for (std::size_t i = 0; i < digits; ++i) {
      sum.words_[i] = -sum.words_[i];
    }
    sum.carry();
  }
  std::size_t top = digits;
  while (top > 0 && sum.words_[top - 1] == 0) {
    --top;
  }
  if (top == 0) {
    return 0;
  }
  // The three topmost digits hold at least 65 bits, from the first one that is not 0 on; what is
  // below them only says whether there is more.
  Uint128 leading = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    leading =
        (leading << digit_bits) | static_cast<std::uint64_t>(top > i ? sum.words_[top - 1 - i] : 0);
  }
  const bool more = std::any_of(sum.words_.begin(), sum.words_.begin() + (top > 3 ? top - 3 : 0),
                                [](std::int64_t digit) { return digit != 0; });
  const int unit = digit_bits * (static_cast<int>(top) - 3) + lowest_exponent;
  int bits = 0;
  while ((leading >> bits) != 0) {
    ++bits;
  }
  // A double's last bit: 53 bits below the first one, and never below 2^-1074.
  const int dropped = std::max(bits - mantissa_bits, lowest_exponent - unit);
  auto kept = static_cast<std::uint64_t>(leading >> dropped);
  const auto rest = leading & ((static_cast<Uint128>(1) << dropped) - 1);
  const auto half = static_cast<Uint128>(1) << (dropped - 1);
  if (rest > half || (rest == half && (more || kept % 2 == 1))) {
    ++kept;
  }
  const double magnitude = scaled(kept, unit + dropped);
  return negative ? -magnitude : magnitude;
}

std::vector<double> ExactSum::expansion() const {
  std::vector<double> parts;
  ExactSum rest = *this;
  for (;;) {
    const double part = rest.value();
    if (part == 0) {
      return parts;
    }
    parts.push_back(part);
    if (!std::isfinite(part)) {
      return parts;
    }
    rest += -part;
  }
}

}  // namespace dnn
