#pragma once

// One update of the model: forward, loss, backward, exchange, deferred update.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/gradient_places.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/data/batch_loader.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/optim/optimizer.hpp"
#include "dnn/parallel/class_block_sums.hpp"
#include "dnn/parallel/gradient_exchange.hpp"
#include "dnn/parallel/model_group_sums.hpp"
#include "dnn/parallel/task_loss.hpp"
#include "dnn/train/bad_numbers.hpp"
#include "dnn/train/phase_seconds.hpp"
#include "dnn/train/phase_trace.hpp"

namespace dnn {

/// The result of one update.
struct StepResult {
  LossSums sums;  ///< over this rank's samples, as TaskLoss has them; none where the step does not
                  ///< count
  bool counts = true;             ///< the same on all ranks; if not, nothing was changed
  std::optional<BadNumbers> bad;  ///< where the step does not count because of this rank's numbers
  /// Of all gradients together, before any clipping: where it is measured, and the step counts.
  double gradient_norm = 0;
};

/// One update of the model: forward, loss, backward, exchange, deferred update. Owns the flat
/// buffers of values and gradients. How the ranks of different samples are laid out it does not
/// know; those of the same samples it may hold the network together with.
///
/// Note [MPI calls of a model group]
/// From the first ready() to the end of combine(), MPI may be the exchange's alone (see Note [Real
/// progress]). So where there is a model group, which has sums of its own to take in backward, the
/// exchange is given the gradients when backward is over and the group has agreed whether they are
/// finite.
///
/// Note [Agreement of a model group]
/// The ranks of a group exchange gradients with different ranks, so what one finds must have
/// reached the others before, by the sums that they take anyway: those of the softmax tell all of
/// bad logits, those of dX tell how large the gradients of split layers can be, and layers that are
/// whole have the same gradients everywhere. Where these bounds do not exclude that one rank alone
/// finds something, and so all know that, they ask each other once more. That is so at every update
/// where the first layer is split: its gradients come after the last sum, and to bound them
/// beforehand would take a pass over all weights.
template <class T>
class TrainingStep {
 public:
  struct Settings {
    std::size_t max_rows = 1;  ///< the most samples that any call of network() gets
    double dropout = 0;
    double clip_norm = 0;  ///< 0: no clipping
    std::uint64_t seed = 0;
    ProductKind products = ProductKind::full;
    bool sparse_input = false;  ///< batches come as sparse rows, with the columns of whole batches
    /// No |X^0| of a sample that counts is above it; dA of the others is 0.
    double largest_input = std::numeric_limits<double>::infinity();
    /// A larger |dW| or |dB| counts as infinite: the sum of the ranks' could be.
    double largest_gradient = std::numeric_limits<T>::max();
    /// What a batch is cut into, of which `logical` is this rank's part: see Note [One tree over
    /// logical shards]. 0: the part of a batch that a rank gets is computed at once.
    std::size_t logical_shards = 0;
    Range logical;
  };

  /// Collective over the model group. `exchange` must outlive the step. `model_group`: the ranks
  /// that hold the network together, of which `layout` is this rank's part; must outlive the step;
  /// null: `layout` is whole. The exchange is one between the ranks that have the same part.
  TrainingStep(const ParameterLayout& layout, const Settings& settings, const LossSettings& loss,
               const OptimizerSettings& optimizer, GradientExchange<T>& exchange,
               const Communicator* model_group = nullptr);

  /// Collective: one update from this rank's part of a batch of `global_samples`, at the learning
  /// rate given. Where a rank's loss or gradients are no numbers, nothing is changed on any rank.
  /// Adds to `seconds`.
  StepResult run(const Batch<T>& batch, std::size_t global_samples, std::uint64_t epoch,
                 double learning_rate, PhaseSeconds& seconds);

  /// Collective over the model group, between two updates: dW and dB of one logical shard of a
  /// batch of `global_samples`, whosever it is, from the present parameters. `batch`: its samples.
  /// Valid until the next call; nothing else of the step changes. Not for sparse input.
  [[nodiscard]] std::span<const T> gradients_of_shard(const Batch<T>& batch,
                                                      std::size_t global_samples,
                                                      std::uint64_t epoch);

  /// No |X^0| of this rank's rows is above `largest` in the next updates.
  void bound_input(double largest) { settings_.largest_input = largest; }

  /// Sees dW and dB of a layer (the elements of `range` in the flat buffers) as backward gives
  /// them.
  using Observer = std::function<void(Range range, std::span<const T> gradients)>;
  /// From now on `observer` sees all gradients of this rank's samples (one node of the tree over
  /// logical shards after the other) before they are summed with others; one that is empty ends
  /// that. Of active rows it sees one after the other.
  void observe(Observer observer) { observer_ = std::move(observer); }

  /// What run() does besides, from now on; all ranks give the same `norm`.
  struct Measurements {
    bool norm = false;            ///< the gradients' norm, also where nothing is clipped
    PhaseTrace* trace = nullptr;  ///< where the phases go; null: nowhere
  };
  void measure(const Measurements& measurements) { measured_ = measurements; }

  [[nodiscard]] const ParameterLayout& layout() const { return layout_; }
  [[nodiscard]] std::span<const T> values() { return exchange_.values(); }
  [[nodiscard]] std::span<const T> gradients() { return exchange_.gradients(); }
  /// Where those of the last update are, of the parameters that this rank owns.
  [[nodiscard]] const GradientPlaces& places() const { return places_; }
  /// The features whose rows of W^1, or parts of them, this rank owns.
  [[nodiscard]] Range owned_features() const;
  /// Collective, see GradientExchange::set_values.
  void set_values(const std::function<void(std::span<T>)>& write);
  /// Collective, between two updates, where the optimizer has averages: these and the parameters
  /// change places.
  void swap_average();
  /// For evaluation: forward without dropout. Collective over the model group.
  [[nodiscard]] Network<T>& network() { return network_; }
  [[nodiscard]] Optimizer<T>& optimizer() { return *optimizer_; }

 private:
  /// Collective over the exchange's ranks: the gradients of the active rows that this rank owns,
  /// see Note [Gradients of active rows].
  void compute_active_rows(const Batch<T>& batch, std::size_t global_samples);
  void show_observer(const Batch<T>& batch, const LayerGradients<T>& layer);
  /// This rank's nodes of the tree over logical shards get their gradients from backward.
  void use_own_shards();
  /// Forward, loss and backward.
  StepResult compute(const Batch<T>& batch, std::size_t global_samples, std::uint64_t epoch);
  /// The rows of this rank's logical shards in its part of a batch.
  [[nodiscard]] std::span<const Range> shards_of(std::size_t global_samples);
  /// The loss of A^N, which becomes dA^N.
  void differentiate(MatrixView<T> logits, const Batch<T>& batch, std::size_t global_samples,
                     StepResult& result);
  void look_at(const LayerGradients<T>& gradients, StepResult& result);
  /// Collective over the model group, where `of_some` (see Network::backward) is not small enough:
  /// whether all have finite gradients, see Note [Agreement of a model group].
  void agree_in_group(T of_some, StepResult& result);
  void announce_all();
  void reduce_over_all(std::span<std::uint64_t> numbers, Reduction reduction);
  /// Collective over the owners of all parameters: the norm of all gradients together.
  double gradient_norm();

  ParameterLayout layout_;
  Settings settings_;
  GradientExchange<T>& exchange_;
  const Communicator* model_group_;
  GradientPlaces places_;
  AlignedBuffer<T> dA_;               ///< dA^1 of the samples of all ranks, with sparse input
  AlignedBuffer<T> shard_gradients_;  ///< of gradients_of_shard
  std::vector<Range> shards_;         ///< the rows of the current batch's
  std::size_t nodes_ = 1;             ///< of the tree over logical shards that this rank has
  std::vector<Range> normed_;  ///< of the own range, what this rank counts in the gradients' norm
  std::optional<ModelGroupSums<T>> sums_;
  std::optional<ClassBlockSums<T>> block_sums_;  ///< instead, where classes are in blocks
  Network<T> network_;
  std::unique_ptr<TaskLoss<T>> loss_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  Observer observer_;
  Measurements measured_;
};

}  // namespace dnn
