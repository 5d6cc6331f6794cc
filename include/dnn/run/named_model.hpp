#pragma once

#include <string>

namespace dnn {

/// The model that a path names: the file, or the best model of the run whose folder it is.
[[nodiscard]] std::string named_model(const std::string& path);

}  // namespace dnn
