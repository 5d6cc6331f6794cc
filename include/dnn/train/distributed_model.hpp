#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/parallel/gradient_exchange.hpp"
#include "dnn/report/event_file.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/checkpoint_state.hpp"
#include "dnn/train/model_plan.hpp"
#include "dnn/train/tensor_parts.hpp"
#include "dnn/train/trainer_settings.hpp"
#include "dnn/train/training_step.hpp"

namespace dnn {

/// A network in training, as the ranks of a grid hold it together: its update with exchange and
/// optimizer, and the way between what each rank holds and the whole tensors of models and
/// checkpoints. Everything here is collective over the grid's world.
template <class T>
class DistributedModel {
 public:
  using Bytes = std::vector<std::byte>;

  /// With the initial parameters of the configuration. All references must outlive the model.
  /// `max_rows`: the most samples that are computed at a time. Throws AgreedError where a rank has
  /// no memory or no thread for it.
  DistributedModel(const TrainerSettings& settings, RankGrid& grid, const ModelPlan& plan,
                   const TrainingData& data, std::size_t max_rows);

  [[nodiscard]] TrainingStep<T>& step() { return *step_; }
  [[nodiscard]] const TensorParts& parts() const { return parts_; }

  /// On rank 0, the present parameters, packed as in a saved model; elsewhere nothing.
  [[nodiscard]] Bytes parameters();
  /// This rank's part of them, as TensorParts::take gives it. Not collective.
  [[nodiscard]] Bytes own_parameters() { return parts_.take<T>(step_->values(), 0); }
  /// The hash of the present parameters, see dnn::parameters_sha256.
  [[nodiscard]] std::string parameters_sha256() { return hash_of(parameters()); }
  /// On all ranks, the hash of the packed parameters that rank 0 gives.
  [[nodiscard]] std::string hash_of(std::span<const std::byte> packed) const;
  /// Takes the packed parameters that rank 0 gives.
  void set_parameters(Bytes packed);

  /// From now on the present parameters are the averages, where they are averaged; from
  /// use_trained() on, those that updates have made. No update, checkpoint or restore in between.
  void use_average();
  void use_trained();

  /// After an update that counts: this rank's part of the dW and dB that it was made from (summed
  /// over all samples, in the run's order, before any clipping), as a flat buffer.
  [[nodiscard]] std::vector<T> summed_gradients();

  /// On rank 0, histograms of each W and B, and with `gradients` (see summed_gradients) of each dW
  /// and dB, of all of the network; elsewhere nothing.
  [[nodiscard]] std::vector<NamedHistogram> histograms(bool gradients);

  /// After an update that does not count: throws std::runtime_error on all ranks where that is
  /// since a rank's parameters or optimizer's state are not what it has written, see Note [Bits
  /// that flip between two updates].
  void check_memory();

  /// As check_memory, of all of them now. Throws on all ranks where the parameters are no numbers,
  /// or not the same on all ranks. Returns their hash, which that takes anyway; empty where the
  /// network is split.
  std::string check();

  /// Throws AgreedError where rank 0's `checkpoint` is not one of this network and optimizer, with
  /// epochs of so many updates.
  void require_fit(const Checkpoint& checkpoint, std::size_t steps_per_epoch);
  /// Takes the tensors of a checkpoint, see restore_tensors.
  bool restore(Checkpoint& checkpoint) {
    return restore_tensors(grid_.world(), *step_, *exchange_, parts_, checkpoint);
  }
  /// Puts network, optimizer and tensors of the present state into rank 0's `checkpoint`, see
  /// gather_tensors.
  void gather(Checkpoint& checkpoint);
  /// The same without the tensors, where all ranks write: returns what this one writes of them, see
  /// dnn::take_slice.
  [[nodiscard]] Bytes take_slice(Checkpoint& checkpoint);

 private:
  void name_network(Checkpoint& checkpoint) const;
  void add_histograms(const Bytes& packed, const std::string& prefix,
                      std::vector<NamedHistogram>& tensors) const;

  const TrainerSettings& settings_;
  RankGrid& grid_;
  std::unique_ptr<GradientExchange<T>> exchange_;
  std::optional<TrainingStep<T>> step_;
  TensorParts parts_;
  bool average_used_ = false;  ///< the averages are in the place of the parameters
};

}  // namespace dnn
