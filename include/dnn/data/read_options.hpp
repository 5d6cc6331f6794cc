#pragma once

#include <optional>
#include <string>

namespace dnn {

enum class HeaderMode { detect, yes, no };

/// Options of a reader, besides the path of the data.
struct ReadOptions {
  /// The label's column (CSV, NPY): a name from the header, a number counted from 1 (or from the
  /// end: -1 is the last), `first` or `last`. Empty: a column named label, class, target or y, else
  /// the last.
  std::string label_column;
  HeaderMode header = HeaderMode::detect;  ///< CSV: whether the first line names the columns
  bool wide = false;                       ///< read text as double rather than float
  /// The number of features where it is known (a trained model's): data of just as many columns
  /// have no labels, and sparse data have no more. Nothing: labels are expected.
  std::optional<std::size_t> features;
  /// Sparse: whether the file counts features from 0 or 1, where it is known; else it is found out.
  std::optional<int> index_base;
};

}  // namespace dnn
