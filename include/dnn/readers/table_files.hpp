#pragma once

// Data in several files: a folder, a pattern or a list of them; tables of text made of these.

#include <optional>
#include <string>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/readers/part.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// The files that `source` means: those that match it, sorted by name, if it is a pattern like
/// "part-*.csv"; those that it lists, in their order, if it is "b.csv,a.csv" and not a pair of NPY
/// files. Nothing if it is neither.
[[nodiscard]] std::optional<std::vector<std::string>> find_table_files(const std::string& source);

/// The tables of text in `folder`, by the endings of their names, sorted. If the names of some say
/// "test", these are the test part; the others are for training.
[[nodiscard]] std::vector<std::string> tables_in(const std::string& folder, Part part);

/// The same for HDF5 files, by the endings of their names.
[[nodiscard]] std::vector<std::string> hdf5_files_in(const std::string& folder, Part part);

/// Reads tables of text, or LIBSVM text, from files that make one data set. `origin` names it in
/// messages. Throws FileError or InputError.
[[nodiscard]] Dataset read_table_files(const std::vector<std::string>& files,
                                       const std::string& origin, const ReadOptions& options);

}  // namespace dnn
