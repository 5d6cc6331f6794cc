#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/nn/ensemble_average.hpp"

namespace dnn {

/// The options of dnn_predict.
struct PredictConfig {
  std::vector<std::string> models;  ///< one, or those of an ensemble; files or run folders
  EnsembleAverage average = EnsembleAverage::logits;
  std::string data = "builtin:digits";
  bool names_data = false;  ///< whether the user has named the data
  std::string label_column;
  std::string csv_header = "auto";
  std::vector<std::string> keep;       ///< columns that are copied into the predictions
  std::optional<std::string> missing;  ///< as ReadOptions; not given: as in training
  std::string output = "predictions.csv";
  std::size_t top = 0;  ///< so many classes are written, the likeliest; 0: all
  bool overwrite = false;
  bool quiet = false;
};

/// Collective over `world`: scores the data with a saved model, or an ensemble of them, each rank
/// its share (EnsembleLayout; one model is an ensemble of one), and writes a CSV line a sample, in
/// the data's order: its number, the predicted class, the label where there is one, and the
/// probability of every class, or of the likeliest ones. Reports accuracy and loss where there are
/// labels. The file is the same at any number of ranks. Returns the exit code. Throws AgreedError.
int run_prediction(const PredictConfig& config, const Communicator& world);

}  // namespace dnn
