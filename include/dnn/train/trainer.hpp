#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/checkpoint/checkpoint_control.hpp"
#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/core/stopwatch.hpp"
#include "dnn/evaluate/run_evaluator.hpp"
#include "dnn/model/provenance.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/best_model.hpp"
#include "dnn/train/distributed_model.hpp"
#include "dnn/train/model_plan.hpp"
#include "dnn/train/nonfinite_policy.hpp"
#include "dnn/train/periodic_checks.hpp"
#include "dnn/train/replayed_update.hpp"
#include "dnn/train/run_progress.hpp"
#include "dnn/train/run_saver.hpp"
#include "dnn/train/trainer_settings.hpp"
#include "dnn/train/training_batches.hpp"
#include "dnn/train/training_position.hpp"
#include "dnn/train/training_result.hpp"

namespace dnn {

/// Trains a network of element type T on all ranks of a grid.
template <class T>
class Trainer {
 public:
  /// What a trainer writes, and to whom it reports.
  struct Outputs {
    Provenance provenance = {};  ///< that models and checkpoints record
    const RunFolder* folder =
        nullptr;  ///< of models and metrics, the same on all ranks; null: none
    CheckpointControl* control =
        nullptr;                      ///< when to write checkpoints and when to stop; null: never
    RunProgress* progress = nullptr;  ///< what is shown besides the epochs' metrics; null: nothing
    /// Called on all ranks after each epoch; may be collective, and may throw AgreedError or
    /// StopAgreed on all of them.
    std::function<void(const EpochMetrics&)> after_epoch;
  };

  /// Collective over the grid's world, as everything here. All references and pointers must outlive
  /// the trainer.
  Trainer(const TrainerSettings& settings, RankGrid& grid, const ModelPlan& plan,
          const TrainingData& data, Reporter& reporter, Outputs outputs = {});

  /// Goes to where the run of rank 0's `checkpoint` was; the other ranks' is not used. Throws
  /// AgreedError where it is of another network.
  void resume(Checkpoint checkpoint) { saver_.restore(std::move(checkpoint), reporter_); }

  /// Trains for all epochs, or until it stops early, and writes the best and the last model; or
  /// until it is asked to stop, and writes a checkpoint. If a file cannot be written before the
  /// end, it warns and continues; at the end it throws AgreedError.
  void run();

  /// Continues up to and including update `update` of the run, and examines that one. Earlier
  /// updates that are not finite are left out, whatever --on-nonfinite says. Writes nothing. Throws
  /// AgreedError where the run ends before that.
  [[nodiscard]] ReplayedUpdate replay(std::uint64_t update);

  [[nodiscard]] const TrainingResult& result() const { return result_; }

  /// The hash of the present parameters, see dnn::parameters_sha256. Where parameters are averaged,
  /// they are the averages once run() has come to the end: see Note [Averaged parameters].
  [[nodiscard]] std::string parameters_sha256() { return model_.parameters_sha256(); }

  /// On rank 0, the present parameters, packed as in a saved model; elsewhere nothing.
  [[nodiscard]] std::vector<std::byte> parameters() { return model_.parameters(); }

  /// Goes back to the best epoch's parameters. Labels are then given by thresholds that suit these,
  /// which the best model's file holds from now on.
  void use_best();

  /// From which probability each label is given; empty: 1/2.
  [[nodiscard]] const std::vector<double>& label_thresholds() const {
    return evaluation_.thresholds();
  }

  /// Evaluates the present parameters, see RunEvaluator::judge.
  Evaluation final_evaluation(Confusion& confusion, nlohmann::ordered_json* plots = nullptr,
                              const OutputSink<T>& sink = {});

  /// Which columns the present parameters need, see permutation_importance. It may cost at most
  /// about 1/200 of the run's training, or 20,000 samples.
  [[nodiscard]] Importance importance();

  /// This rank's flat buffer, of the plan's `part`.
  [[nodiscard]] std::span<const T> values() { return model_.step().values(); }

 private:
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] std::uint64_t updates() const { return position_.updates(data_.sampler); }
  void train_epoch();
  void begin_epoch();
  void end_epoch();
  void advance();
  StepResult make_update();
  void note_progress(const StepResult& result, std::size_t samples);
  void leave_out(const StepResult& result, std::size_t samples);
  void save();
  void obey(CheckpointControl::Order order);
  void validate(EpochMetrics& metrics);
  void show_epoch(const EpochMetrics& metrics);
  [[nodiscard]] PhaseTrace* trace_of(std::uint64_t update) const {
    return outputs_.progress != nullptr ? outputs_.progress->trace_of(update) : nullptr;
  }
  bool choose_thresholds();
  [[nodiscard]] ReplayedUpdate look_at_update();

  const TrainerSettings& settings_;
  const Outputs outputs_;
  RankGrid& grid_;
  const Communicator& world_;
  const TrainingData& data_;
  Reporter& reporter_;
  CheckpointControl* control_;
  DistributedModel<T> model_;
  LearningRateSchedule schedule_;
  TrainingBatches<T> batches_;
  PeriodicChecks<T> checks_;
  RunEvaluator<T> evaluation_;
  BestModel models_;
  NonfinitePolicy nonfinite_;

  bool last_counts_ = false;  ///< the last update changed the parameters
  TrainingPosition position_;
  Stopwatch epoch_watch_;
  TrainingResult result_;
  RunSaver<T> saver_;
};

}  // namespace dnn
