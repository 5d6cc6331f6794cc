#pragma once

// Opens a data set of any format: chooses the reader by the contents of the file or folder.

#include <string>

#include "dnn/data/dataset.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// The name of the data compiled into the program.
inline constexpr const char* builtin_digits_name = "builtin:digits";

/// Which data of a folder that holds both.
enum class Part { train, test };

/// Reads the data that `source` names: `builtin:digits`; a folder of IDX files
/// (*train*-images-idx3- ubyte[.gz] and so on; t10k or test for Part::test) or of NPY files
/// (X_train.npy, y_train.npy, X_test.npy, y_test.npy); two NPY files "features.npy,labels.npy"; or
/// one file, CSV, LIBSVM or NPY by its contents, gzip data or not. Throws FileError or InputError.
[[nodiscard]] Dataset open_dataset(const std::string& source, Part part,
                                   const ReadOptions& options);

/// Whether `source` is a folder that holds a test part as well.
[[nodiscard]] bool has_test_part(const std::string& source);

}  // namespace dnn
