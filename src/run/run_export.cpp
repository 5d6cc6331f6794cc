#include "dnn/run/run_export.hpp"

#include <filesystem>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/core/atomic_file.hpp"
#include "dnn/exports/exported_model.hpp"
#include "dnn/model/model_file.hpp"

namespace dnn {

void run_export(const ModelOptions& options) {
  std::string path = options.files.front();
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    path = RunFolder(path).best_model();
  }
  check_output(options.output, options.overwrite);
  export_model(ExportedModel(load_model(path)), options.format, options.output);
}

}  // namespace dnn
