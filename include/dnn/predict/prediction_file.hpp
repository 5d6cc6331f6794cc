#pragma once

#include <optional>
#include <string>

#include "dnn/core/output_file.hpp"
#include "dnn/data/dataset.hpp"

namespace dnn {

/// The file of predictions: CSV lines in the data's order, under a temporary name until complete.
class PredictionFile {
 public:
  /// Writes the header, for the classes of `data`, and a column for its labels where it has any.
  /// Throws FileError, as its functions do.
  PredictionFile(const std::string& path, const Dataset& data);
  PredictionFile(const PredictionFile&) = delete;
  PredictionFile& operator=(const PredictionFile&) = delete;
  /// Removes an incomplete file.
  ~PredictionFile();

  /// Appends whole lines.
  void write(const std::string& lines);

  /// Gives the complete file its name.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  std::optional<OutputFile> file_;
  bool done_ = false;
};

}  // namespace dnn
