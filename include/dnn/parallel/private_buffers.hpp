#pragma once

#include <functional>
#include <span>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/parallel/gradient_exchange.hpp"

namespace dnn {

/// What the strategies have in common in which every rank has the whole model in memory of its own,
/// and updates all of it.
template <class T>
class PrivateBuffers : public GradientExchange<T> {
 public:
  /// `size`: elements of the flat buffers.
  explicit PrivateBuffers(std::size_t size) : values_(size), gradients_(size) {}

  [[nodiscard]] std::span<T> values() override { return values_.span(); }
  [[nodiscard]] std::span<T> gradients() override { return gradients_.span(); }
  void set_values(const std::function<void(std::span<T>)>& write) override {
    write(values_.span());
  }
  [[nodiscard]] Range own() const override { return {0, values_.size()}; }
  void publish() override {}
  [[nodiscard]] double sum_over_owners(double part) override { return part; }

 private:
  AlignedBuffer<T> values_;
  AlignedBuffer<T> gradients_;
};

}  // namespace dnn
