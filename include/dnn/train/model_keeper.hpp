#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/train/config.hpp"
#include "dnn/train/epoch_metrics.hpp"
#include "dnn/train/run_folder.hpp"
#include "dnn/train/training_data.hpp"

namespace dnn {

/// The best model of a run so far, and the run folder's files that grow with its epochs: the best
/// model, the last one, the metrics. Rank 0 holds the best parameters and writes the files; every
/// rank knows which epoch was the best.
class ModelKeeper {
 public:
  /// The parameters as packed_parameters makes them.
  using Parameters = std::vector<std::byte>;

  /// All references must outlive the keeper. `folder`: null writes nothing.
  ModelKeeper(const Config& config, const Communicator& world, const TrainingData& data,
              const ParameterLayout& layout, const RunFolder* folder);

  /// Collective: takes note of an epoch. `parameters` gives the present ones, where they are
  /// needed.
  void end_epoch(const EpochMetrics& metrics, const std::function<Parameters()>& parameters);

  /// Collective: the best epoch of a run that goes on, with its parameters on rank 0 (empty where
  /// they are not kept); none yet without `best`. Writes the best model.
  void restore(const std::optional<EpochMetrics>& best, Parameters parameters);

  /// Collective: writes the model of the last epoch.
  void save_last(const EpochMetrics& metrics, const std::function<Parameters()>& parameters) const;

  /// The best epoch, from 1; the last one without a validation set; 0 before the first.
  [[nodiscard]] std::size_t best_epoch() const { return best_ ? best_->epoch : 0; }
  /// On rank 0.
  [[nodiscard]] const Parameters& best_parameters() const { return best_parameters_; }

 private:
  [[nodiscard]] bool improves(const EpochMetrics& metrics) const;
  void append(const EpochMetrics& metrics) const;
  void save(const std::string& path, const EpochMetrics& metrics,
            std::span<const std::byte> parameters) const;

  const Config& config_;
  const Communicator& world_;
  const TrainingData& data_;
  std::vector<std::size_t> widths_;
  const RunFolder* folder_;
  std::optional<EpochMetrics> best_;
  Parameters best_parameters_;  ///< rank 0's
};

}  // namespace dnn
