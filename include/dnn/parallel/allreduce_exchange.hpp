#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/parallel/private_buffers.hpp"

namespace dnn {

/// One MPI_Allreduce of the whole gradient buffer, in place, or one sum along the tree of logical
/// shards; every rank then updates everything.
template <class T>
class AllreduceExchange final : public PrivateBuffers<T> {
 public:
  /// Collective over `ranks`, see PrivateBuffers.
  AllreduceExchange(const Communicator& ranks, std::size_t size, std::size_t logical_shards = 0);

  void ready(Range range) override;
  [[nodiscard]] bool combine(bool finite) override;

 private:
  const Communicator& ranks_;
};

}  // namespace dnn
