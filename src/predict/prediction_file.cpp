#include "dnn/predict/prediction_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <span>

#include "dnn/core/error.hpp"
#include "dnn/data/csv_text.hpp"

namespace dnn {

PredictionFile::PredictionFile(const std::string& path, const Dataset& data)
    : path_(path), temporary_(path_ + ".tmp") {
  ::unlink(temporary_.c_str());  // what a killed program left, or a link to somebody's file
  file_.emplace(temporary_, O_CREAT | O_EXCL, path_);
  std::string header = "sample";
  for (const std::string& name : data.kept_names) {
    header += ',' + spreadsheet_field(name);
  }
  header += ",class";
  if (data.has_labels()) {
    header += ",label";
  }
  for (const std::string& name : data.class_names) {
    header += ',' + spreadsheet_field("p(" + name + ")");
  }
  write(header + '\n');
}

PredictionFile::~PredictionFile() {
  if (!done_) {
    file_.reset();
    ::unlink(temporary_.c_str());
  }
}

void PredictionFile::write(const std::string& lines) {
  file_->write(std::as_bytes(std::span(lines)));
}

void PredictionFile::commit() {
  file_->close();
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) {
    throw FileError("write the predictions", path_, error.value());
  }
  done_ = true;
}

}  // namespace dnn
