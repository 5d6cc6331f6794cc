#pragma once

// A folder that holds a data set: of IDX files (*train*-images-idx3-ubyte,
// *train*-labels-idx1-ubyte; t10k or test for the test part) or of NPY files (X_train.npy,
// y_train.npy, X_test.npy, y_test.npy), each compressed or not.

#include <string>

#include "dnn/data/dataset.hpp"
#include "dnn/readers/part.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// Reads a part of the data in `folder`. Throws FileError, or InputError where files are missing,
/// ambiguous or bad.
[[nodiscard]] Dataset open_folder(const std::string& folder, Part part, const ReadOptions& options);

/// Whether the folder holds any of these files.
[[nodiscard]] bool folder_has_arrays(const std::string& folder);

/// Whether the folder holds a test part; `labelled`: its labels as well.
[[nodiscard]] bool folder_has_test_part(const std::string& folder, bool labelled);

}  // namespace dnn
