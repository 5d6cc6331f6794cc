#pragma once

#include <fstream>
#include <string>

#include "dnn/data/dataset.hpp"

namespace dnn {

/// The file of predictions: CSV lines in the data's order, under a temporary name until complete.
class PredictionFile {
 public:
  /// Writes the header: the columns that `data` passes on, and those of the answers
  /// (Answers::header). Throws FileError, as its functions do.
  PredictionFile(const std::string& path, const Dataset& data, const std::string& answers);
  PredictionFile(const PredictionFile&) = delete;
  PredictionFile& operator=(const PredictionFile&) = delete;
  /// Removes an incomplete file.
  ~PredictionFile();

  /// Appends whole lines.
  void write(const std::string& lines);

  /// Gives the complete file its name.
  void commit();

 private:
  void check_written() const;

  std::string path_;
  std::string temporary_;
  std::ofstream file_;
  bool done_ = false;
};

}  // namespace dnn
