#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnn/model/epoch_metrics.hpp"
#include "dnn/train/phase_seconds.hpp"

namespace dnn {

/// The result of a training run.
struct TrainingResult {
  std::vector<EpochMetrics> epochs;
  std::size_t best_epoch = 0;  ///< from 1; the last one without a validation set
  bool stopped_early = false;
  bool interrupted = false;           ///< asked to stop; the last checkpoint says where
  std::uint64_t skipped_updates = 0;  ///< of the whole run: they were not finite
  std::uint64_t rollbacks = 0;        ///< of this process: they made the run go back
  PhaseSeconds seconds;               ///< of this rank
};

}  // namespace dnn
