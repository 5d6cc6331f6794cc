#include "dnn/predict/prediction_file.hpp"

#include <cerrno>
#include <filesystem>

#include "dnn/core/error.hpp"
#include "dnn/data/csv_text.hpp"

namespace dnn {

PredictionFile::PredictionFile(const std::string& path, const Dataset& data,
                               const std::string& answers)
    : path_(path), temporary_(path_ + ".tmp") {
  errno = 0;
  file_.open(temporary_, std::ios::trunc);
  check_written();
  std::string header = "sample";
  for (const std::string& name : data.kept_names) {
    header += ',' + csv_field(name);
  }
  write(header + answers + '\n');
}

PredictionFile::~PredictionFile() {
  if (!done_) {
    std::error_code error;
    std::filesystem::remove(temporary_, error);
  }
}

void PredictionFile::write(const std::string& lines) {
  errno = 0;
  file_ << lines << std::flush;
  check_written();
}

void PredictionFile::commit() {
  file_.close();
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) {
    throw FileError("write the predictions", path_, error.value());
  }
  done_ = true;
}

void PredictionFile::check_written() const {
  if (!file_) {
    throw FileError("write the predictions", path_, errno != 0 ? errno : EIO);
  }
}

}  // namespace dnn
