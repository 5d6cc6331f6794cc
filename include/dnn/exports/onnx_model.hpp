#pragma once

#include <string>

#include "dnn/exports/exported_model.hpp"

namespace dnn {

/// The model as an ONNX file (opset 15) with everything inside: filling of missing values, encoding
/// of categories and dates, scaling, network, softmax or sigmoid, units of numbers.
///
/// Of a table, each feature column is an input of its name (batch x 1): text for categories, else
/// doubles, dates in seconds since 1970-01-01 UTC; NaN, and the words for it, are missing values.
/// Of other data, `inputs` (batch x M_0) is the only one, in the model's precision. The result is
/// `probabilities` or `numbers` (batch x M_N). The metadata have `output_names` (JSON) and
/// `description` (see ExportedModel). Throws InputError for a model beyond ONNX's limit of 2 GiB.
[[nodiscard]] std::string onnx_model(const ExportedModel& model);

}  // namespace dnn
