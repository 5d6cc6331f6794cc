#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/parallel/private_buffers.hpp"

namespace dnn {

/// One MPI_Allreduce of the whole gradient buffer, in place; every rank then updates everything.
template <class T>
class AllreduceExchange final : public PrivateBuffers<T> {
 public:
  /// `size`: elements of the flat buffers. `ranks` must outlive the exchange.
  AllreduceExchange(const Communicator& ranks, std::size_t size);

  void ready(Range range) override;
  [[nodiscard]] bool combine(bool finite) override;

 private:
  const Communicator& ranks_;
};

}  // namespace dnn
