#include "dnn/run/run_export.hpp"

#include <vector>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/core/atomic_file.hpp"
#include "dnn/exports/exported_model.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/report/report_page.hpp"

namespace dnn {

namespace {

/// What a run keeps in its folder and cannot be made again, unlike the report.
std::vector<std::string> files_of_run(const std::string& path) {
  const RunFolder folder(path);
  std::vector<std::string> files = {folder.best_model(), folder.last_model(),  folder.metrics(),
                                    folder.summary(),    folder.confusion(),   folder.evaluation(),
                                    folder.steps(),      folder.trace(),       folder.nonfinite(),
                                    folder.folds(),      folder.out_of_fold(), folder.log(),
                                    folder.started()};
  const std::vector<std::string> checkpoints = CheckpointFolder(folder.checkpoints()).all_files();
  files.insert(files.end(), checkpoints.begin(), checkpoints.end());
  return files;
}

}  // namespace

void run_export(const ModelOptions& options) {
  check_output(options.output, options.overwrite, options.files);
  export_model(ExportedModel(load_model(options.files.front())), options.format, options.output);
}

std::string export_report(const ModelOptions& options) {
  if (!options.output.empty()) {
    std::vector<std::string> inputs;
    for (const std::string& folder : options.files) {
      const std::vector<std::string> files = files_of_run(folder);
      inputs.insert(inputs.end(), files.begin(), files.end());
    }
    check_output(options.output, options.overwrite, inputs);
  }
  return write_report(options.files, options.output);
}

}  // namespace dnn
