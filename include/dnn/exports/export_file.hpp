#pragma once

// Writes a saved model for programs that never heard of dnn_train.

#include <string>

#include "dnn/exports/exported_model.hpp"

namespace dnn {

enum class ExportFormat {
  npz,          ///< NumPy: an array a member, and description.json
  safetensors,  ///< PyTorch and others: the arrays, and the description in the metadata
  onnx,         ///< everything from a table's columns to probabilities, see onnx_model()
  header        ///< C++11 without dependencies: the model as constants, and predict()
};

/// Writes the file atomically. Throws FileError, and InputError for a model that the format cannot
/// have.
void export_model(const ExportedModel& model, ExportFormat format, const std::string& path);

}  // namespace dnn
