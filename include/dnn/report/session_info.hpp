#pragma once

// What TensorBoard's HPARAMS shows of a run: its hyperparameters, and whether it has ended.

#include <vector>

#include "dnn/core/protobuf_message.hpp"
#include "dnn/report/hyperparameter.hpp"

namespace dnn {

// Values of a Summary (tensorflow/core/framework/summary.proto) for the plugin "hparams"
// (tensorboard/plugins/hparams/plugin_data.proto). There is none of the plugin's kind "experiment":
// TensorBoard would take that of one run for all runs that it shows together. Without one it
// gathers names, ranges and metrics from all of them.

/// A run with these hyperparameters begins at `time`, in seconds since 1970-01-01 UTC.
[[nodiscard]] ProtobufMessage session_start(const std::vector<HyperParameter>& hyperparameters,
                                            double time);
/// It has ended well.
[[nodiscard]] ProtobufMessage session_end(double time);

}  // namespace dnn
