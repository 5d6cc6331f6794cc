#pragma once

// Parses the command line of dnn_model.

#include <optional>
#include <string>
#include <vector>

namespace dnn {

/// What dnn_model is asked to do with the files, or the text to print instead (--help, --version).
struct ModelOptions {
  enum class Command { info, verify, hash, compare };

  Command command = Command::info;
  std::vector<std::string> files;  ///< one for info and verify, two for compare, else some
  std::optional<std::string> print;
};

/// Reads the command line of dnn_model. Throws InputError for anything unknown (naming the nearest
/// known option) or unusable.
[[nodiscard]] ModelOptions parse_model_options(int argc, const char* const* argv);

}  // namespace dnn
