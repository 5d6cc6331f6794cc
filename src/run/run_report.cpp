#include "dnn/run/run_report.hpp"

#include <fmt/format.h>

#include "dnn/report/reporter.hpp"

namespace dnn {

std::string evaluated_set(const TrainingData& data) {
  if (data.test) {
    return "test";
  }
  return data.sampler.validation_samples() > 0 ? "validation" : "training";
}

std::vector<std::string> describe_result(const RunFolder& folder, const Config& config,
                                         const TrainingResult& result,
                                         const FinalFigures& figures) {
  std::vector<std::string> lines;
  if (result.stopped_early) {
    lines.push_back(
        fmt::format("stopped early: no better validation result in {} epochs", config.early_stop));
  }
  lines.push_back(fmt::format(
      "{} accuracy {:.2f} % (loss {:.4f}, {} samples) with the model of epoch {}, the best",
      figures.evaluated_on, 100 * figures.best.accuracy, figures.best.loss,
      with_commas(figures.best.samples), result.best_epoch));
  lines.push_back(fmt::format("model: {}  (summary, metrics and confusion matrix beside it)",
                              folder.best_model()));
  return lines;
}

std::string describe_stop(const std::string& reason, const std::string& checkpoint) {
  return fmt::format("stopped by {}; checkpoint {}; repeat the command to resume from it", reason,
                     checkpoint);
}

std::string describe_finished(const std::string& path) {
  return fmt::format(
      "the run in {} is finished. To train further, give more --epochs (with --lr-schedule "
      "constant or step); to start again, add --overwrite",
      path);
}

}  // namespace dnn
