#include "dnn/options/question.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "dnn/comm/program.hpp"
#include "dnn/core/messages.hpp"

namespace dnn {

namespace {

/// Variables that launchers of Open MPI, MPICH, Slurm, Flux and Cray set in each rank.
constexpr std::array launchers = {
    "OMPI_COMM_WORLD_SIZE", "PMI_RANK",       "PMI_SIZE",    "PMIX_RANK",
    "SLURM_PROCID",         "FLUX_TASK_RANK", "PALS_RANKID", "MPI_LOCALNRANKS"};

constexpr std::array<std::string_view, 4> questions = {"-h", "--help", "--version",
                                                       "--bash-completion"};

}  // namespace

std::optional<int> answer_question(int argc, const char* const* argv, const char* name,
                                   const std::function<std::optional<std::string>()>& answer) {
  const bool is_question =
      argc == 2 && std::ranges::find(questions, std::string_view(argv[1])) != questions.end();
  const bool is_rank = std::ranges::any_of(
      launchers, [](const char* variable) { return std::getenv(variable) != nullptr; });
  if (!is_question || is_rank) {
    return std::nullopt;
  }
  try {
    say(answer().value());
    return exit_ok;
  } catch (const std::exception& error) {
    complain(std::string(name) + ": error: " + error.what());
    return exit_bad_input;
  }
}

}  // namespace dnn
