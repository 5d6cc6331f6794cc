#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/output_file.hpp"
#include "dnn/core/temporary_name.hpp"
#include "dnn/data/dataset.hpp"

namespace dnn {

/// How predictions are written: a line a sample, or the matrix of probabilities, or of numbers
/// (samples x outputs), alone.
enum class PredictionFormat { csv, npy };

/// By the ending of the file's name.
[[nodiscard]] PredictionFormat prediction_format(const std::string& path);

/// Throws InputError for a name that ends like a file of another format than these.
void check_prediction_name(const std::string& path);

/// Whether a file of predictions may take the place of another one.
enum class Existing { keep, replace };

/// The file of predictions in the data's order, under a temporary name until complete. A file that
/// stays incomplete is removed; what a killed program has left, by the next one that writes a file
/// of the same name.
class PredictionFile {
 public:
  /// Writes the header: CSV, of the columns that `data` passes on and those of the answers
  /// (Answers::header). Numbers in an NPY file have `element_bytes` (4 or 8). Throws FileError, as
  /// its functions do.
  PredictionFile(const std::string& path, Existing existing, const Dataset& data,
                 const std::string& answers, std::size_t element_bytes);

  /// Appends whole lines or rows.
  void write(const std::string& samples);

  /// Gives the complete file its name; it holds `samples`. Where another file has that name by now
  /// and is to be kept, throws InputError, which says where the predictions are.
  void commit(std::size_t samples);

 private:
  void open();
  [[nodiscard]] std::string npy_header(std::size_t samples) const;

  std::string path_;
  Existing existing_;
  TemporaryName temporary_;
  Descriptor lock_;  ///< of the file under its temporary name: this process is at work on it
  PredictionFormat format_;
  std::size_t element_bytes_;
  std::size_t classes_;
  std::optional<OutputFile> file_;  ///< closed before its temporary name is removed
};

}  // namespace dnn
