#include "dnn/run/run_export.hpp"

#include <filesystem>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/exports/exported_model.hpp"
#include "dnn/model/model_file.hpp"

namespace dnn {

void run_export(const ModelOptions& options) {
  std::string path = options.files.front();
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    path = RunFolder(path).best_model();
  }
  export_model(ExportedModel(load_model(path)), options.format, options.output);
}

}  // namespace dnn
