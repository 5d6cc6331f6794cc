#pragma once

#include <optional>
#include <string>

#include "dnn/train/config.hpp"

namespace dnn {

/// What a command line asks for: a run, or a text to print instead (--help, --version,
/// --print-config).
struct Options {
  Config config;
  std::optional<std::string> print;
};

/// Reads the command line of dnn_train, and the TOML file that --config names; the command line
/// goes before the file. Throws InputError for anything unknown (naming the nearest known option)
/// or unusable.
[[nodiscard]] Options parse_options(int argc, const char* const* argv);

}  // namespace dnn
