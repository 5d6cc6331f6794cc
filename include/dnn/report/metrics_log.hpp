#pragma once

#include <string>
#include <vector>

#include "dnn/model/epoch_metrics.hpp"

namespace dnn {

/// The file of a run's metrics: a line of JSON an epoch. Lines are appended; where that fails, or
/// has failed before, the file is written anew, so that it never keeps half a line, and what an
/// epoch could not write the next one makes up for.
class MetricsLog {
 public:
  explicit MetricsLog(std::string path);

  /// Adds the last of `epochs`, which are all that the run has had. Throws FileError.
  void add(const std::vector<EpochMetrics>& epochs);

  /// Makes the file one of these epochs, atomically. Throws FileError.
  void write(const std::vector<EpochMetrics>& epochs);

 private:
  [[nodiscard]] bool append(const EpochMetrics& epoch) const;

  std::string path_;
  bool is_whole_ = false;  ///< the file holds every epoch before
};

}  // namespace dnn
