#pragma once

#include <string>

#include "dnn/options/model_options.hpp"

namespace dnn {

/// Writes the saved model that `options` name in another format. Throws FileError or InputError.
void run_export(const ModelOptions& options);

/// Writes the report of the runs that `options` name, and returns its path. Throws FileError or
/// InputError.
[[nodiscard]] std::string export_report(const ModelOptions& options);

}  // namespace dnn
