#pragma once

#include <string>

#include "dnn/data/dataset.hpp"

namespace dnn {

/// Reads a pair of IDX files (the format of MNIST): unsigned bytes of samples x height x width (or
/// any further extents, flattened), and one label byte a sample. Either may be compressed; plain
/// images are mapped, not copied. `labels_path` may be empty: no labels. Throws FileError or
/// InputError.
[[nodiscard]] Dataset read_idx(const std::string& images_path, const std::string& labels_path);

}  // namespace dnn
