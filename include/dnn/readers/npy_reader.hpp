#pragma once

#include <string>

#include "dnn/data/dataset.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// Reads NumPy's .npy files (format versions 1 to 3, C order, little-endian numbers). Features stay
/// in the file's type; an uncompressed file is mapped, not copied.
///
/// `features_path`: an array of samples x features, or of more dimensions (images), which are
/// flattened. `labels_path`: an array of one label a sample; empty: the label is a column of a
/// two-dimensional `features_path`. Throws FileError or InputError.
[[nodiscard]] Dataset read_npy(const std::string& features_path, const std::string& labels_path,
                               const ReadOptions& options);

/// Whether the contents begin like an .npy file.
[[nodiscard]] bool looks_like_npy(std::span<const std::byte> contents);

}  // namespace dnn
