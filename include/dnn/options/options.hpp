#pragma once

// Parses the command line and configuration file of dnn_train into a Config.

#include <optional>
#include <string>

#include "dnn/options/config.hpp"
#include "dnn/options/replay_request.hpp"

namespace dnn {

/// Parses a command line: it asks for a run, for a replay of one update, or for a text to print
/// instead (--help, --version, --print-config).
struct Options {
  Config config;
  std::optional<ReplayRequest> replay;
  std::optional<std::string> print;
  std::string note;  ///< for the user, about an option that is no longer needed; empty: none
};

/// Reads the command line of dnn_train, and the TOML file that --config names; the command line
/// goes before the file, and both before `settings` (JSON, see to_json; empty: none), of which what
/// a run writes, and when it ends, is left out. Throws InputError for anything unknown (naming the
/// nearest known option) or unusable.
[[nodiscard]] Options parse_options(int argc, const char* const* argv,
                                    const std::string& settings = {});

}  // namespace dnn
