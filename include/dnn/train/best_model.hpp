#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/model/epoch_metrics.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/model/provenance.hpp"
#include "dnn/report/metrics_log.hpp"
#include "dnn/report/running_report.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/tensor_parts.hpp"
#include "dnn/train/trainer_settings.hpp"

namespace dnn {

/// What a saved model of a network trained on `data` says of itself, but for the epoch and its
/// figures. `widths`: M_0, ..., M_N of the whole network.
[[nodiscard]] ModelDescription describe_trained(const TrainingData& data,
                                                const std::vector<std::size_t>& widths,
                                                Precision precision, const Provenance& provenance);

/// The best model of a run so far, and the run folder's files that grow with its epochs: the best
/// model, the last one, the metrics. Every rank knows which epoch was the best and holds its part
/// of the best parameters; rank 0 writes the files. If a file cannot be written, a warning
/// goes to standard error and the file is written later.
class BestModel {
 public:
  /// Parameters as packed_parameters makes them.
  using Parameters = std::vector<std::byte>;
  /// The present parameters, where they are needed.
  struct Present {
    std::function<Parameters()> whole;  ///< collective; on rank 0
    std::function<Parameters()> part;   ///< as TensorParts::take gives it
  };

  /// What the keeper goes by; all references must outlive it.
  struct Setup {
    const TrainerSettings& settings;
    const Communicator& world;
    const TrainingData& data;
    const std::vector<std::size_t>& widths;  ///< M_0, ..., M_N of the whole network
    const TensorParts& parts;                ///< how the ranks share the best parameters
    const Provenance& provenance;            ///< that models record
    const RunFolder* folder;                 ///< null: nothing is written
  };
  explicit BestModel(const Setup& setup);

  /// Collective: takes note of the last of all epochs that the run has had.
  void end_epoch(const std::vector<EpochMetrics>& epochs, const Present& present);

  /// Collective, after the last epoch. Without a validation set, the last epoch is the best one.
  /// If its parameters were not kept (a run was resumed at the end of an epoch that a lower number
  /// of epochs now makes the last), the present ones are kept. `part`: as in Present.
  void end_training(const std::function<Parameters()>& part);

  /// Collective: the best epoch of a run that goes on, with its parameters on rank 0 (empty where
  /// they are not kept); none yet without `best`. Writes the best model.
  void restore(const std::optional<EpochMetrics>& best, Parameters parameters);

  /// Collective, at the end of a run of these epochs: writes the model of the last one, whose
  /// parameters `whole` gives as above, and what could not be written before. `label_thresholds`:
  /// of the last one. Throws AgreedError.
  void save_last(const std::vector<EpochMetrics>& epochs, const std::function<Parameters()>& whole,
                 const std::vector<double>& label_thresholds);

  /// Collective: writes the model of the best epoch again, with these thresholds of its labels;
  /// `whole` gives its parameters. Throws AgreedError.
  void save_best(const std::function<Parameters()>& whole,
                 const std::vector<double>& label_thresholds);

  /// The best epoch, from 1; the last one without a validation set; 0 before the first.
  [[nodiscard]] std::size_t best_epoch() const { return best_ ? best_->epoch : 0; }
  /// Whether the best parameters are kept; the same on all ranks.
  [[nodiscard]] bool keeps_best() const { return keeps_best_; }
  /// This rank's part of them.
  [[nodiscard]] const Parameters& best_part() const { return best_part_; }
  /// Collective: on rank 0, all of them; empty where they are not kept.
  [[nodiscard]] Parameters gather_best() const;

 private:
  [[nodiscard]] bool improves(const EpochMetrics& metrics) const;
  void save_while_training(const std::vector<EpochMetrics>& epochs, bool is_best,
                           const Parameters& present);
  void save(const std::string& path, const EpochMetrics& metrics,
            std::span<const std::byte> parameters,
            const std::vector<double>& label_thresholds) const;

  Setup setup_;
  std::optional<EpochMetrics> best_;
  bool keeps_best_ = false;
  Parameters best_part_;

  // Rank 0's.
  std::optional<MetricsLog> metrics_log_;
  std::optional<RunningReport> report_;
  bool best_unsaved_ = false;     ///< model.dnn is not the best one
  bool metrics_unsaved_ = false;  ///< metrics.jsonl lacks epochs
  bool report_unsaved_ = false;   ///< report.html lacks them
};

}  // namespace dnn
