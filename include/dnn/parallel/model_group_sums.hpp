#pragma once

// Implements PartialSums (nn) over ranks.

#include <span>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/request.hpp"
#include "dnn/nn/partial_sums.hpp"

namespace dnn {

/// Sums over a model group, each one MPI_Allreduce (or MPI_Iallreduce) in place.
template <class T>
class ModelGroupSums final : public PartialSums<T> {
 public:
  /// `group` must outlive it.
  explicit ModelGroupSums(const Communicator& group);

  void sum(std::span<T> part) override;
  void begin(std::span<T> part) override;
  void finish() override;

 private:
  const Communicator& group_;
  Request under_way_;
};

}  // namespace dnn
