#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/data/table_schema.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/model/precision.hpp"

namespace dnn {

/// The features that a model takes and the classes that it answers with: the models of an ensemble
/// must have both in common.
/// Normalization, hidden layers and precision are each model's own.
struct ModelInterface {
  std::size_t features = 0;
  std::vector<std::string> feature_names;  ///< empty where the training data had none
  int index_base = -1;                     ///< as in ModelDescription
  Task task = Task::classes;
  std::vector<std::string> class_names;
  /// Of the labels; of an ensemble the mean of its models'. Empty: 1/2.
  std::vector<double> label_thresholds;
  Precision precision = Precision::f32;  ///< of an ensemble: the widest of its models'
  TableSchema schema;                    ///< how a table is read; empty: as it stands

  [[nodiscard]] static ModelInterface of(const ModelDescription& model);

  /// The interface of an ensemble of the models `parts`, read from `paths`: classes in the first
  /// one's order. Throws InputError, naming both files, where the features or classes of two models
  /// differ.
  [[nodiscard]] static ModelInterface join(const std::vector<std::string>& paths,
                                           const std::vector<ModelInterface>& parts);

  /// Collective over `world`: as above, where each rank has the models of EnsembleLayout. Throws
  /// AgreedError.
  [[nodiscard]] static ModelInterface join(const Communicator& world,
                                           const std::vector<std::string>& paths,
                                           std::span<const SavedModel> own);

  /// For each class here, which class of `model` it is; empty where they have the same order.
  [[nodiscard]] std::vector<std::int32_t> classes_in(const ModelDescription& model) const;
};

}  // namespace dnn
