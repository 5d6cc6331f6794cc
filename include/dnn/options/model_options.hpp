#pragma once

// Parses the command line of dnn_model.

#include <optional>
#include <string>
#include <vector>

#include "dnn/exports/export_file.hpp"

namespace dnn {

/// What dnn_model is asked to do with the files, or the text to print instead (--help, --version).
struct ModelOptions {
  enum class Command { info, verify, hash, compare, report, export_model };

  Command command = Command::info;
  std::vector<std::string> files;  ///< one for info and verify, two for compare, else some;
                                   ///< folders of runs for report
  std::string output;              ///< file to write; empty: report.html in the run's folder
  bool overwrite = false;          ///< replace `output` if it exists
  ExportFormat format = ExportFormat::npz;
  std::optional<std::string> print;
};

/// Reads the command line of dnn_model. Throws InputError for anything unknown (naming the nearest
/// known option) or unusable.
[[nodiscard]] ModelOptions parse_model_options(int argc, const char* const* argv);

}  // namespace dnn
