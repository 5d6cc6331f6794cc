#pragma once

// Questions that a program answers without MPI.

#include <functional>
#include <optional>
#include <string>

namespace dnn {

/// If the command line is --help, --version or --bash-completion alone, and no launcher (mpirun,
/// srun) has started this process, prints `answer`() and returns the exit code. MPI is not
/// started: on login nodes it often cannot be. Returns nothing in all other cases. `name`: of the
/// program, for errors.
[[nodiscard]] std::optional<int> answer_question(
    int argc, const char* const* argv, const char* name,
    const std::function<std::optional<std::string>()>& answer);

}  // namespace dnn
