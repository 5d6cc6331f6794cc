#pragma once

// Reads a data set of any format: chooses the reader by the contents of the file or folder.

#include <string>

#include "dnn/data/bytes.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/readers/part.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// The name of the data compiled into the program.
inline constexpr const char* builtin_digits_name = "builtin:digits";

/// Reads a part of the data that `source` names (see DataSource). Throws FileError or InputError.
[[nodiscard]] Dataset open_dataset(const std::string& source, Part part,
                                   const ReadOptions& options);

/// Reads one file, a table of text, LIBSVM or NPY by its contents, which are neither compressed nor
/// an archive; `path` names them in errors. Throws InputError.
[[nodiscard]] Dataset read_file(const Bytes& contents, const std::string& path,
                                const ReadOptions& options);

/// The data of builtin_digits_name.
[[nodiscard]] Dataset open_builtin_digits(const ReadOptions& options);

}  // namespace dnn
