#pragma once

#include <string>

#include "dnn/store/training_data.hpp"

namespace dnn {

/// A digest (64 hexadecimal digits) of what a run trains on: shape, names, labels, features and
/// their normalization, wherever they were read from. Of more than 64 MiB of features it takes
/// pieces spread evenly; the normalization, computed from all of them, stands for the rest.
[[nodiscard]] std::string data_fingerprint(const TrainingData& data);

}  // namespace dnn
