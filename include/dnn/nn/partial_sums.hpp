#pragma once

// Interface: sums over the ranks of a model group. ModelGroupSums (parallel) implements it.

#include <span>

namespace dnn {

/// How the ranks that hold parts of one network (see LayerSplit) add up what each has of a sum.
/// Called once or twice a layer and batch. All ranks make the same calls in the same order.
template <class T>
class PartialSums {
 public:
  virtual ~PartialSums() = default;
  PartialSums(const PartialSums&) = delete;
  PartialSums& operator=(const PartialSums&) = delete;

  /// Collective over these ranks: `part` becomes the sum of all ranks' parts.
  virtual void sum(std::span<T> part) = 0;

  /// Collective: begins that; `part` must be left alone until finish() has returned. One at a time.
  virtual void begin(std::span<T> part) = 0;
  virtual void finish() = 0;

 protected:
  PartialSums() = default;
};

}  // namespace dnn
