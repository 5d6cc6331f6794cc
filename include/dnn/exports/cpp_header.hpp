#pragma once

#include <string>

#include "dnn/exports/exported_model.hpp"

namespace dnn {

/// A C++11 header without dependencies that holds the model: constants, and
/// `int dnn_model::predict(const double* inputs, T* probabilities)`. Names from the data stand in
/// it as string literals of ASCII alone. Throws InputError for a model that is too large to compile
/// and to keep on a stack: more than 10 million parameters, or a layer of more than 65,536 nodes.
[[nodiscard]] std::string cpp_header(const ExportedModel& model);

}  // namespace dnn
