#pragma once

#include <cmath>
#include <functional>
#include <limits>
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

 protected:
  /// See Note [Agreement on bad numbers]: the first gradient carries the mark.
  void mark(bool finite) {
    if (!finite) {
      gradients_.data()[0] = std::numeric_limits<T>::quiet_NaN();
    }
  }
  [[nodiscard]] bool is_unmarked() { return !std::isnan(gradients_.data()[0]); }

 private:
  AlignedBuffer<T> values_;
  AlignedBuffer<T> gradients_;
};

}  // namespace dnn
