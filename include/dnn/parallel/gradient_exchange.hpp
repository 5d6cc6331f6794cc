#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// How the ranks' gradients become one update: the seam that hides the layout of the ranks from the
/// training step. It owns the two flat buffers, since where they lie (this rank's memory, or memory
/// that a node's ranks share) is part of it. A step is
///
///     backward, which calls exchange.ready(range) as dW and dB of each layer are complete
///     counts = exchange.combine(finite)             // dW, dB summed over ranks
///     if counts:
///       optimizer.step(values[own], gradients[own]) // the deferred update
///     exchange.publish()                            // every rank sees the new W, B
///
/// Note [Agreement on bad numbers]
/// A step counts only if the gradients of all ranks are numbers. The ranks agree on that in the sum
/// that they make anyway: a rank whose gradients are not puts a NaN where every rank will find it,
/// since a sum with a NaN is one whatever the order. The others' gradients are small enough to be
/// summed (`finite` says so), so that no NaN comes from anywhere else.
///
/// Note [Gradients of active rows]
/// Of sparse samples, a batch uses few of the features, and only the rows of W^1 of those features
/// (the active rows) have a gradient. Summed over the ranks, they would still be far more numbers
/// than the dA^1 that they are made of: at 200 features of 100,000 a sample, 177 rows for one of
/// dA^1. So W^1 is not exchanged. After combine() all ranks get the dA^1 of the whole batch
/// (gather_rows), and the owner of a row computes its gradient from the samples of all ranks, which
/// every node has: the same additions, along the same tree over logical shards, as on one rank.
template <class T>
class GradientExchange {
 public:
  virtual ~GradientExchange() = default;
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;

  /// The flat buffer of W and B that every rank computes with; may be memory of several ranks.
  [[nodiscard]] virtual std::span<T> values() = 0;
  /// The flat buffer of this rank's dW and dB.
  [[nodiscard]] virtual std::span<T> gradients() = 0;

  /// With logical shards, see Note [One tree over logical shards]: the flat buffer of dW and dB of
  /// this rank's node number `index` of the tree. Without, gradients() for 0.
  [[nodiscard]] virtual std::span<T> part(std::size_t index) = 0;

  /// Collective: sets all values: `write`, given values(), is called on one rank for each copy of
  /// them. What it writes must be the same everywhere.
  virtual void set_values(const std::function<void(std::span<T>)>& write) = 0;

  /// The range of the flat buffers that this rank updates; the same at every step, may be empty.
  [[nodiscard]] virtual Range own() const = 0;

  /// The elements whose gradients are summed; those before are the owners' to compute, see Note
  /// [Gradients of active rows].
  [[nodiscard]] Range exchanged() const { return exchanged_; }

  /// `range` of the gradients (of every part) is complete on this rank and will not be written
  /// again before publish(). All ranks call it with the same ranges in the same order, last layer
  /// first. What of it is not exchanged() does not count.
  virtual void ready(Range range) = 0;

  /// Collective: the gradients of what of own() is exchanged become the sum of all ranks' dW and
  /// dB. `finite`: whether all of this rank's are numbers small enough that all together can be
  /// summed. Returns, the same on all ranks, whether they all are; if not, the gradients mean
  /// nothing.
  [[nodiscard]] virtual bool combine(bool finite) = 0;

  /// Collective, between combine and publish: see dnn::gather_rows, over all ranks.
  virtual void gather_rows(MatrixView<const T> own, MatrixView<T> all,
                           std::size_t logical_shards) = 0;

  /// Collective: every rank sees the values that their owners updated.
  virtual void publish() = 0;

  /// Collective, between combine and publish: the reduction over all owners of numbers about their
  /// own range (a part of a norm), at most `owner_numbers` of them; where every rank owns
  /// everything, the numbers themselves.
  virtual void reduce_over_owners(std::span<std::uint64_t> numbers, Reduction reduction) = 0;
  static constexpr std::size_t owner_numbers = 2;

  /// What this rank still owes to the sums of later steps (error feedback), as bytes; empty where
  /// sums are complete.
  [[nodiscard]] virtual std::string save_residual() const { return {}; }
  /// Takes such bytes back, between steps; empty ones forget the residual. Returns false, and does
  /// nothing, where they are those of another layout of the ranks.
  virtual bool load_residual(const std::string& bytes) { return bytes.empty(); }

 protected:
  explicit GradientExchange(Range exchanged) : exchanged_(exchanged) {}

 private:
  Range exchanged_;
};

}  // namespace dnn
