#pragma once

#include "dnn/comm/communicator.hpp"
#include "dnn/parallel/private_buffers.hpp"

namespace dnn {

/// One MPI_Allreduce of the whole gradient buffer, in place; every rank then updates everything.
/// The sums have MPI's order: with up to two ranks that hold one node of the tree of logical shards
/// each, they are those of the tree; with more, they are the same to rounding.
template <class T>
class AllreduceExchange final : public PrivateBuffers<T> {
 public:
  /// Collective over `ranks`, see PrivateBuffers.
  AllreduceExchange(const Communicator& ranks, std::size_t size, std::size_t logical_shards = 0,
                    std::size_t not_exchanged = 0);

  void ready(Range range) override;
  [[nodiscard]] bool combine(bool finite) override;

 private:
  /// gradients() becomes the sum of what this rank has of its own.
  void sum_own_nodes();

  const Communicator& ranks_;
};

}  // namespace dnn
