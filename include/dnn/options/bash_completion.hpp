#pragma once

// Completion of command lines in bash.

#include <CLI/CLI.hpp>
#include <string>

namespace dnn {

/// The script that completes the command line of `app` in bash: options, subcommands, the words
/// that a value may be, files and folders. Made of what --help shows, see Note [Names of values].
[[nodiscard]] std::string bash_completion(const CLI::App& app);

}  // namespace dnn
