#include "dnn/parallel/compressed_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

float widen(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// To nearest, ties to even; NaN and infinities stay such.
DNN_SIMD_BODY std::uint16_t round_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool is_number = (bits & 0x7fffffffU) <= 0x7f800000U;
  const std::uint32_t rounded = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
  return static_cast<std::uint16_t>(is_number ? rounded : bits >> 16 | 0x40U);
}

/// out = from + residual rounded to bf16.
DNN_SIMD void compress(const float* from, const float* residual, std::uint16_t* out,
                       std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = round_to_bf16(from[i] + residual[i]);
  }
}

/// residual becomes what compress() rounded away.
DNN_SIMD void keep_lost(const float* from, float* residual, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const float value = from[i] + residual[i];
    const std::uint32_t chosen = round_to_bf16(value);
    const float lost = value - std::bit_cast<float>(chosen << 16);
    residual[i] = (chosen & 0x7f80U) != 0x7f80U ? lost : 0.0F;  // nothing comes after infinity
  }
}

DNN_SIMD void add(const std::uint16_t* from, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] += widen(from[i]);
  }
}

DNN_SIMD void expand(const std::uint16_t* from, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = widen(from[i]);
  }
}

}  // namespace

CompressedSum::CompressedSum(const Communicator& ranks, std::size_t size)
    : ranks_(ranks),
      block_((size + static_cast<std::size_t>(ranks.size()) - 1) /
             static_cast<std::size_t>(ranks.size())),
      residual_(size),
      sum_(block_),
      sum_residual_(block_),
      sent_(block_ * static_cast<std::size_t>(ranks.size())),
      received_(sent_.size()) {}

void CompressedSum::run(std::span<float> vector) {
  const auto bytes = [](auto span) { return std::as_writable_bytes(span); };
  compress(vector.data(), residual_.data(), sent_.data(), vector.size());  // the rest stays 0
  ranks_.all_to_all(bytes(sent_.span()), bytes(received_.span()));
  std::fill_n(sum_.data(), block_, 0.0F);
  for (std::size_t rank = 0; rank < static_cast<std::size_t>(ranks_.size()); ++rank) {
    add(received_.data() + rank * block_, sum_.data(), block_);
  }
  compress(sum_.data(), sum_residual_.data(), sent_.data(), block_);
  ranks_.all_gather(bytes(sent_.span().first(block_)), bytes(received_.span()));
  if (!vector.empty() && !std::isnan(widen(received_.data()[0]))) {
    keep_lost(vector.data(), residual_.data(), vector.size());
    keep_lost(sum_.data(), sum_residual_.data(), block_);
  }
  expand(received_.data(), vector.data(), vector.size());
}

std::string CompressedSum::save_residual() const {
  std::string saved;
  for (const AlignedBuffer<float>* residual : {&residual_, &sum_residual_}) {
    saved.append(reinterpret_cast<const char*>(residual->data()), residual->size() * sizeof(float));
  }
  return saved;
}

bool CompressedSum::load_residual(const std::string& bytes) {
  const std::size_t first = residual_.size() * sizeof(float);
  const std::size_t second = sum_residual_.size() * sizeof(float);
  if (bytes.empty()) {
    std::fill_n(residual_.data(), residual_.size(), 0.0F);
    std::fill_n(sum_residual_.data(), sum_residual_.size(), 0.0F);
    return true;
  }
  if (bytes.size() != first + second) {
    return false;
  }
  std::copy_n(bytes.data(), first, reinterpret_cast<char*>(residual_.data()));
  std::copy_n(bytes.data() + first, second, reinterpret_cast<char*>(sum_residual_.data()));
  return true;
}

}  // namespace dnn
