#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/model/model_file.hpp"
#include "dnn/model/precision.hpp"

namespace dnn {

/// An array of an exported model, row-major, little-endian.
struct ExportedTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  Precision type = Precision::f32;   ///< f32 or f64
  std::span<const std::byte> bytes;  ///< of the model
};

/// A saved model as other programs take it: arrays with names, and a description of everything
/// else.
///
/// The arrays are W1 (M_0 x M_1), B1 (M_1), ..., WN, BN in the model's precision, and `center` and
/// `scale` (M_0 doubles), also where the model has no normalization. With x the inputs of a sample:
///   A = (x - center) * scale, clipped to [-clip, clip] where the description's clip is above 0;
///   A = max(A W1 + B1, 0); ...;  logits = A WN + BN
/// Probabilities are the softmax of the logits (classes, distribution), or the sigmoid of each
/// (labels). Numbers are logits / target_scale + target_center (M_N doubles each, for this task
/// alone).
class ExportedModel {
 public:
  explicit ExportedModel(SavedModel model);
  ExportedModel(const ExportedModel&) = delete;
  ExportedModel& operator=(const ExportedModel&) = delete;

  [[nodiscard]] const ModelDescription& description() const { return model_.description; }
  [[nodiscard]] const std::vector<ExportedTensor>& tensors() const { return tensors_; }
  /// What the arrays do not say, as JSON: task, output (softmax, sigmoid or
  /// numbers), output_names, input_names, how a table's columns become
  /// inputs, the configuration.
  [[nodiscard]] const std::string& description_json() const { return json_; }
  /// The names of the network's inputs; empty where the data had none.
  [[nodiscard]] std::vector<std::string> input_names() const;

 private:
  SavedModel model_;
  std::vector<double> center_, scale_, target_center_, target_scale_;
  std::vector<ExportedTensor> tensors_;
  std::string json_;
};

}  // namespace dnn
