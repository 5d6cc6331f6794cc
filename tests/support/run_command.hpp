#pragma once

#include <string>

namespace dnn::test {

/// What a command did.
struct CommandResult {
  int exit_code = -1;  ///< 128 + signal where one ended it
  std::string output;  ///< standard output and standard error together
  double seconds = 0;
};

/// A command that takes longer hangs, even on a busy machine.
inline constexpr double hang_seconds = 120;

/// Runs a shell command, in an environment in which mpiexec runs any number of ranks, and waits for
/// it.
CommandResult run_command(const std::string& command);

/// How often `part` occurs in `text`.
int count(const std::string& text, const std::string& part);

}  // namespace dnn::test
