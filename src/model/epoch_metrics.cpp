#include "dnn/model/epoch_metrics.hpp"

#include <nlohmann/json.hpp>

namespace dnn {

nlohmann::ordered_json EpochMetrics::to_json() const {
  nlohmann::ordered_json line = {
      {"epoch", epoch}, {"lr", learning_rate}, {"train_loss", train.loss}};
  if (train.accuracy >= 0) {
    line["train_accuracy"] = train.accuracy;
  }
  line["train_samples"] = train.samples;
  if (validation) {
    line["validation_loss"] = validation->loss;
    if (validation->accuracy >= 0) {
      line["validation_accuracy"] = validation->accuracy;
    }
    for (const Figure& figure : validation->figures) {
      line["validation_" + figure.name] = figure.value;
    }
  }
  if (!sha256.empty()) {
    line["sha256"] = sha256;
  }
  line["samples_per_second"] = samples_per_second;
  line["seconds"] = seconds;
  line["evaluation_seconds"] = evaluation_seconds;
  return line;
}

}  // namespace dnn
