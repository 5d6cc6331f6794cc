#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/parallel/gradient_exchange.hpp"

namespace dnn {

/// One MPI_Allreduce of the whole gradient buffer, in place; every rank then updates everything.
template <class T>
class AllreduceExchange final : public GradientExchange<T> {
 public:
  /// `size`: elements of the flat buffers. `ranks` must outlive the exchange.
  AllreduceExchange(const Communicator& ranks, std::size_t size);

  [[nodiscard]] Range own() const override { return {0, size_}; }
  Range combine(std::span<T> gradients) override;
  void publish(std::span<T> values) override;
  [[nodiscard]] double sum_over_owners(double part) const override { return part; }

 private:
  const Communicator& ranks_;
  std::size_t size_;
};

}  // namespace dnn
