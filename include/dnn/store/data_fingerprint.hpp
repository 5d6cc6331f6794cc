#pragma once

#include <string>

#include "dnn/store/training_data.hpp"

namespace dnn {

/// A digest (64 hexadecimal digits) of what a run trains on: all of the training data, by
/// `data.digest`, and their normalization, wherever they were read from.
[[nodiscard]] std::string data_fingerprint(const TrainingData& data);

/// The same of the test data, as they were read; empty where there are none.
[[nodiscard]] std::string test_fingerprint(const TrainingData& data);

}  // namespace dnn
