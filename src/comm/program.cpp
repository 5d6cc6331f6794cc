#include "dnn/comm/program.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/mpi_error.hpp"
#include "dnn/core/messages.hpp"

namespace dnn {

namespace {

/// Whether the connection to a process manager that PMI_FD names is one of a process around this
/// one, which it was not passed on from: this process is no rank of that job.
bool is_inside_a_rank() {
  const char* descriptor = std::getenv("PMI_FD");
  struct stat status {};
  return descriptor != nullptr && *descriptor != '\0' &&
         (::fstat(std::atoi(descriptor), &status) != 0 || !S_ISSOCK(status.st_mode));
}

/// In a shell that srun has started (srun --pty bash), Open MPI takes every program for a rank that
/// srun was to start, finds nobody to ask for its peers, and ends it. Where the step consists of
/// one process, there are no peers. Before MPI_Init, and before there are threads that read the
/// environment.
void leave_step_of_one() {
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (tasks == nullptr || std::string(tasks) != "1") {
    return;
  }
  for (const char* variable : {"PMIX_NAMESPACE", "PMI_FD", "PMI_RANK", "PMI_SIZE", "PMI_PORT"}) {
    if (std::getenv(variable) != nullptr) {
      return;
    }
  }
  ::unsetenv("SLURM_STEP_ID");
}

/// Throws where mpirun has started several processes that do not know of each other: each would
/// train the same model in the same folder.
void check_started_together(const Communicator& world, const char* name) {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const char* text =
        variable == std::string("PMI_SIZE") && is_inside_a_rank() ? nullptr : std::getenv(variable);
    const long started = text != nullptr ? std::strtol(text, nullptr, 10) : 0;
    if (world.size() == 1 && started > 1) {
      throw AgreedError(fmt::format(
          "{} processes were started ({}), but each of them is alone: this mpirun does not belong "
          "to the MPI library of {} ({}). Use that library's mpirun; where one process is meant, "
          "unset {}",
          started, variable, name, mpi_library(), variable));
    }
  }
}

/// Collective, and the first message between the ranks: throws unless all run the same version.
void check_same_program(const Communicator& world, const char* name) {
  std::array<char, 64> version{};
  std::string(DNN_VERSION).copy(version.data(), version.size() - 1);
  std::vector<char> all(version.size() * static_cast<std::size_t>(world.size()));
  world.all_gather(std::as_bytes(std::span(version)), std::as_writable_bytes(std::span(all)));
  for (int rank = 1; rank < world.size(); ++rank) {
    const char* other = all.data() + version.size() * static_cast<std::size_t>(rank);
    if (std::string(other) != all.data()) {
      throw AgreedError(fmt::format(
          "rank {} runs {} {}, and rank 0 runs {}; install the same version on all hosts", rank,
          name, other, all.data()));
    }
  }
}

int run_body(const Communicator& world, const char* name,
             const std::function<int(const Communicator& world)>& body) {
  try {
    return body(world);
  } catch (const AgreedError& error) {
    if (world.is_root()) {
      complain(fmt::format("{}: error: {}", name, error.what()));
    }
    return exit_bad_input;
  } catch (const std::exception& error) {
    const bool no_memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
    const std::string message = no_memory ? out_of_memory(world) : error.what();
    // Ranks report in turn, so that an error that all of them meet (a diverged model) is reported
    // once: the first one's MPI_Abort ends the others while they wait. It does so with SIGTERM,
    // which by now is no request to stop in order (StopRequest): there is nothing left to save.
    std::signal(SIGTERM, SIG_DFL);
    std::this_thread::sleep_for(std::chrono::milliseconds(100 * std::min(world.rank(), 20)));
    complain(fmt::format("{}: error on rank {} of {} (host {}): {}", name, world.rank(),
                         world.size(), host_name(), message));
    std::fflush(nullptr);
    if (world.size() > 1) {
      MPI_Abort(world.handle(), exit_failed);
    }
    return exit_failed;
  }
}

}  // namespace

int run_mpi_program(int argc, char** argv, const char* name,
                    const std::function<int(const Communicator& world)>& body) {
  try {
    outlive_readers();
    leave_step_of_one();
    int provided = MPI_THREAD_SINGLE;
    check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN),
              "MPI_Comm_set_errhandler");
    if (provided < MPI_THREAD_SERIALIZED) {
      throw std::runtime_error("this MPI library does not support threads (MPI_THREAD_SERIALIZED)");
    }
    int code = exit_failed;
    {
      const Communicator world = Communicator::duplicate(MPI_COMM_WORLD);
      code = run_body(world, name, [&](const Communicator& ranks) {
        check_started_together(ranks, name);
        check_same_program(ranks, name);
        return body(ranks);
      });
    }
    check_mpi(MPI_Finalize(), "MPI_Finalize");
    return code;
  } catch (const std::exception& error) {
    complain(fmt::format("{}: error: {}", name, error.what()));
    return exit_failed;
  }
}

}  // namespace dnn
