#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/parallel/private_buffers.hpp"

namespace dnn {

/// One sum of the whole gradient buffer along the tree of logical shards, after backward; every
/// rank then updates everything. Without logical shards, one MPI_Allreduce.
template <class T>
class TreeExchange final : public PrivateBuffers<T> {
 public:
  /// Collective over `ranks`, see PrivateBuffers.
  TreeExchange(const Communicator& ranks, std::size_t size, std::size_t logical_shards,
               std::size_t not_exchanged = 0);

  void ready(Range range) override;
  [[nodiscard]] bool combine(bool finite) override;

 private:
  const Communicator& ranks_;
};

}  // namespace dnn
