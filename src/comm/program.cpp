#include "dnn/comm/program.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <thread>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/mpi_error.hpp"

namespace dnn {

namespace {

int run_body(const Communicator& world, const char* name,
             const std::function<int(const Communicator& world)>& body) {
  try {
    return body(world);
  } catch (const AgreedError& error) {
    if (world.is_root()) {
      std::fprintf(stderr, "%s: error: %s\n", name, error.what());
    }
    return exit_bad_input;
  } catch (const std::exception& error) {
    // Ranks report in turn, so that an error that all of them meet (a diverged model) is reported
    // once: the first one's MPI_Abort ends the others while they wait. It does so with SIGTERM,
    // which by now is no request to stop in order (StopRequest): there is nothing left to save.
    std::signal(SIGTERM, SIG_DFL);
    std::this_thread::sleep_for(std::chrono::milliseconds(100 * std::min(world.rank(), 20)));
    std::fprintf(stderr, "%s: error on rank %d of %d (host %s): %s\n", name, world.rank(),
                 world.size(), host_name().c_str(), error.what());
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
      code = run_body(world, name, body);
    }
    check_mpi(MPI_Finalize(), "MPI_Finalize");
    return code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: error: %s\n", name, error.what());
    return exit_failed;
  }
}

}  // namespace dnn
