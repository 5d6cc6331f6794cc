#pragma once

#include <string>

#include "dnn/core/stopwatch.hpp"

namespace dnn {

/// Keeps the report of a run that is training up to date, at a small part of the run's time.
class RunningReport {
 public:
  /// Of the run in `folder`; written at most once in `interval` seconds.
  RunningReport(std::string folder, double interval);

  /// Writes the report if it is time to. Throws InputError where it cannot be written.
  void update();

 private:
  std::string folder_;
  double interval_;
  Stopwatch since_last_;
};

}  // namespace dnn
