#pragma once

#include <optional>
#include <string>

#include "dnn/data/dataset.hpp"
#include "dnn/readers/npy_array.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// A data set of NumPy arrays. Features stay in the array's type and memory.
///
/// `features`: samples x features, or of more dimensions (images), which are flattened. `labels`:
/// see set_labels; nothing: the label is a column of two-dimensional `features`, unless the
/// options know that all columns are features. Throws InputError.
[[nodiscard]] Dataset dataset_of_arrays(const NpyArray& features,
                                        const std::optional<NpyArray>& labels,
                                        const ReadOptions& options);

/// The same of .npy files, which may be compressed; plain ones are mapped, not copied.
/// `labels_path` may be empty: no labels of their own. Throws FileError or InputError.
[[nodiscard]] Dataset read_npy(const std::string& features_path, const std::string& labels_path,
                               const ReadOptions& options);

}  // namespace dnn
