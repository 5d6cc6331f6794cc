#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/train/checkpoint.hpp"
#include "dnn/train/checkpoint_state.hpp"
#include "dnn/train/config.hpp"
#include "dnn/train/epoch_metrics.hpp"
#include "dnn/train/evaluator.hpp"
#include "dnn/train/metrics_log.hpp"
#include "dnn/train/model_file.hpp"
#include "dnn/train/reporter.hpp"
#include "dnn/train/run_control.hpp"
#include "dnn/train/run_folder.hpp"
#include "dnn/train/run_plan.hpp"
#include "dnn/train/training_data.hpp"
#include "dnn/train/training_step.hpp"

namespace dnn {

/// What came of a run.
struct TrainingResult {
  std::vector<EpochMetrics> epochs;
  std::size_t best_epoch = 0;  ///< from 1; the last one without a validation set
  bool stopped_early = false;
  bool interrupted = false;  ///< asked to stop; the last checkpoint says where
  PhaseSeconds seconds;      ///< of this rank
};

/// Trains a network of element type T on all ranks of a communicator.
template <class T>
class Trainer {
 public:
  /// Collective over `world`, as everything here. All references must outlive the trainer.
  /// `folder`: where models and metrics go, the same on all ranks; null writes nothing. `control`:
  /// when to write checkpoints and when to stop; null never does.
  Trainer(const Config& config, const Communicator& world, Node& node, const RunPlan& plan,
          const TrainingData& data, const RunFolder* folder, Reporter& reporter,
          RunControl* control = nullptr);

  /// Goes to where the run of rank 0's `checkpoint` was; the other ranks' is not used. Throws
  /// AgreedError where it is of another network.
  void resume(Checkpoint checkpoint);

  /// Trains for all epochs, or until it stops early, and writes the best and the last model; or
  /// until it is asked to stop, and writes a checkpoint. What cannot be written before the end is
  /// told, and training goes on; at the end it throws AgreedError.
  void run();

  [[nodiscard]] const TrainingResult& result() const { return result_; }

  /// The SHA-256 of the parameters, packed as in a saved model.
  [[nodiscard]] std::string parameters_sha256();

  /// Goes back to the best epoch's parameters.
  void use_best();

  /// Evaluates the present parameters on the test data, or else on the validation set, or else on
  /// the training set. `confusion` takes this rank's part of the counts.
  Evaluation final_evaluation(Confusion& confusion);

  [[nodiscard]] std::span<const T> values() { return step_.values(); }

 private:
  /// Between which updates the run is.
  struct Position {
    std::size_t epoch = 1;  ///< the one under way
    std::size_t step = 0;   ///< how many of its updates are done
    LossSums sums;          ///< over this rank's samples of them; rank 0's hold those of before
    double learning_rate = 0;
    double seconds = 0;  ///< that the epoch took before this process went on with it
  };

  [[nodiscard]] bool is_done() const;
  void train_epoch();
  EpochMetrics run_epoch();
  [[nodiscard]] std::uint64_t updates() const;
  void obey(RunControl::Order order);
  void write_checkpoint();
  void validate(EpochMetrics& metrics);
  [[nodiscard]] bool improves(const EpochMetrics& metrics) const;
  void keep(const EpochMetrics& metrics, bool is_best);
  void save_while_training(const EpochMetrics& metrics, bool save_best);
  void save_models();
  [[nodiscard]] std::vector<std::byte> present_slice();
  [[nodiscard]] std::vector<std::byte> gather_best();
  void save(const std::string& path, const EpochMetrics& metrics,
            std::span<const std::byte> parameters) const;
  void check_replicas();

  const Config& config_;
  const Communicator& world_;
  const TrainingData& data_;
  const RunFolder* folder_;
  Reporter& reporter_;
  RunControl* control_;
  std::unique_ptr<GradientExchange<T>> exchange_;
  std::size_t max_rows_;  ///< samples that are computed at a time
  TrainingStep<T> step_;
  LearningRateSchedule schedule_;
  BatchLoader<T> loader_;
  std::optional<Evaluator<T>> validator_;

  Position position_;
  Stopwatch epoch_watch_;
  TrainingResult result_;
  std::optional<EpochMetrics> best_;
  SavedElements saved_;                     ///< what this rank saves of each tensor
  bool keeps_best_ = false;                 ///< there are best parameters
  std::vector<std::byte> best_parameters_;  ///< this rank's `saved_` of them, packed
  std::optional<MetricsLog> metrics_log_;   ///< rank 0's
  bool best_unsaved_ = false;               ///< on rank 0: model.dnn is not the best one
  bool metrics_unsaved_ = false;            ///< on rank 0: metrics.jsonl lacks epochs
};

}  // namespace dnn
