#pragma once

#include <string>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// What dnn_predict is told.
struct PredictConfig {
  std::string model;
  std::string data = "builtin:digits";
  std::string label_column;
  std::string csv_header = "auto";
  std::string output = "predictions.csv";
  bool overwrite = false;
  bool quiet = false;
};

/// Collective over `world`: scores the data with a saved model, each rank its share, and writes a
/// CSV line a sample, in the data's order: its number, the predicted class, the label where there
/// is one, and the probability of every class. Reports accuracy and loss where there are labels.
/// Returns the exit code. Throws AgreedError.
int run_prediction(const PredictConfig& config, const Communicator& world);

}  // namespace dnn
