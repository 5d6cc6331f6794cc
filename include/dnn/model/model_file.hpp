#pragma once

// Saved models (model.dnn): writing, reading, and the hash of their parameters.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/core/task.hpp"
#include "dnn/data/normalizer.hpp"
#include "dnn/data/table_schema.hpp"
#include "dnn/model/evaluation.hpp"
#include "dnn/model/precision.hpp"
#include "dnn/nn/parameter_layout.hpp"

namespace dnn {

/// What a saved model says about itself: all that is needed to score raw data with it.
struct ModelDescription {
  std::vector<std::uint64_t> widths;  ///< M_0, ..., M_N
  Precision precision = Precision::f32;
  Task task = Task::classes;
  std::vector<std::string> class_names;  ///< of the outputs: classes, labels or numbers
  Normalizer target_scale;  ///< numbers: how the data's became the network's; else empty
  std::vector<double> label_thresholds;    ///< labels: from which probability each is given; empty:
                                           ///< 1/2
  std::vector<std::string> feature_names;  ///< of the inputs; empty where the data had none
  int index_base = -1;                     ///< LIBSVM: whether features were counted from 0 or 1
  Normalizer normalizer;
  TableSchema schema;         ///< of the training table; empty where the data were none
  std::string configuration;  ///< TOML, as dnn_train --print-config
  std::uint64_t epoch = 0;    ///< after which it was taken, from 1
  double validation_loss = 0;
  double validation_accuracy = 0;
  std::vector<Figure> validation_figures;
  std::uint64_t validation_samples = 0;  ///< 0: there was no validation set
  std::string program;                   ///< name and version of what wrote it
  std::string environment;               ///< see Environment::to_text; empty: unknown
};

/// A model in memory: its description, and the bytes of W^1, B^1, ..., W^N, B^N without padding.
struct SavedModel {
  ModelDescription description;
  std::vector<std::byte> parameters;

  /// Writes the parameters into a flat buffer of `layout`. T must be the description's precision.
  template <class T>
  void copy_to(const ParameterLayout& layout, std::span<T> values) const;
};

/// The hash that identifies the parameters of a model, checkpoint or epoch: SHA-256
/// over `packed`, the bytes of W^1, B^1, ..., W^N, B^N of the whole network without padding, each W
/// row by row, as little-endian IEEE 754 numbers of the model's precision. 64 hexadecimal digits.
/// It knows nothing of ranks, and nothing of how a network is split.
[[nodiscard]] std::string parameters_sha256(std::span<const std::byte> packed);

/// How many bytes the W and B of layers of these widths are, packed without padding; as double for
/// f64, else as float. `origin` names what has the widths in errors. Throws InputError for a width
/// of 0, and where the bytes are more than can be counted.
[[nodiscard]] std::size_t packed_bytes(const std::vector<std::uint64_t>& widths,
                                       Precision precision, const std::string& origin);

/// The bytes of all W and B of a flat buffer, without its padding.
template <class T>
[[nodiscard]] std::vector<std::byte> packed_parameters(const ParameterLayout& layout,
                                                       std::span<const T> values);

/// The inverse: writes the bytes of all W and B into a flat buffer, leaves its padding.
template <class T>
void unpack_parameters(const ParameterLayout& layout, std::span<const std::byte> packed,
                       std::span<T> values);

/// A description as text, without the parameters; read back by parse_model.
[[nodiscard]] std::string describe_model(const ModelDescription& description);

/// The model of such a text and these parameters. `origin` names it in errors. Throws InputError
/// for a text that is none, or where they do not fit each other.
[[nodiscard]] SavedModel parse_model(const std::string& text, std::vector<std::byte> parameters,
                                     const std::string& origin);

/// Writes a model atomically. Throws FileError.
void save_model(const std::string& path, const ModelDescription& description,
                std::span<const std::byte> parameters);

/// Reads a model and checks that its parts fit each other. Throws FileError or InputError.
[[nodiscard]] SavedModel load_model(const std::string& path);

}  // namespace dnn
