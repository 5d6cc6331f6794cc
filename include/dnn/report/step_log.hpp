#pragma once

#include <cstdint>
#include <string>

#include "dnn/core/appended_file.hpp"
#include "dnn/core/stopwatch.hpp"
#include "dnn/report/progress_sink.hpp"

namespace dnn {

/// steps.jsonl: a line of JSON every so many updates. Lines are written together, about once a
/// second, after each epoch and before a checkpoint.
class StepLog : public ProgressSink {
 public:
  explicit StepLog(std::string path) : file_(std::move(path)) {}

  [[nodiscard]] std::string name() const override { return "step log"; }
  void add(const StepRecord& record) override;
  void add(const EpochMetrics& epoch, std::uint64_t update) override;
  void flush() override;
  void went_back() override { file_.begin_again(); }

 private:
  AppendedFile file_;
  Stopwatch since_flush_;
};

/// Cuts the step log at `path`, if there is one, back to the lines up to update `update`: those
/// that a run which resumes there has written. Throws FileError.
void cut_step_log(const std::string& path, std::uint64_t update);

}  // namespace dnn
