// A job in which one rank does what it should not while the others wait in a collective: what every
// program of the project does about that. Usage: failing_rank RANK
// throw|exit|other|stop|sleep|work, or RANK start|end: the rank stops before MPI_Init, or before
// MPI_Finalize

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "dnn/comm/launch_timeout.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/comm/watchdog.hpp"

namespace {

void fail(const std::string& how, const dnn::Communicator& world) {
  if (how == "throw") {
    throw std::runtime_error("the disk is on fire");
  }
  if (how == "exit") {
    std::exit(0);
  }
  if (how == "other") {
    (void)world.all_reduce(1.0, dnn::Reduction::sum);
  }
  if (how == "stop") {
    std::raise(SIGSTOP);
  }
  if (how == "sleep") {  // as a disk that does not answer
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
  if (how == "work") {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(9);
    while (std::chrono::steady_clock::now() < end) {
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  dnn::LaunchTimeout guard("failing_rank");
  if (argv[2] == std::string("start") &&
      std::getenv("OMPI_COMM_WORLD_RANK") == std::string(argv[1])) {
    std::raise(SIGSTOP);
  }
  return dnn::run_mpi_program(argc, argv, "failing_rank", [&](const dnn::Communicator& world) {
    dnn::Node node(world);
    {
      const dnn::Watchdog watchdog(world, node, 3, "failing_rank");
      const dnn::LaunchTimeout::Pause at_work(guard);
      world.heartbeat().begin_update(17);
      world.heartbeat().begin(dnn::Activity::fetching);
      if (world.rank() == std::atoi(argv[1])) {
        fail(argv[2], world);
      }
      world.barrier();
    }
    node.close();
    if (argv[2] == std::string("end") && world.rank() == std::atoi(argv[1])) {
      std::raise(SIGSTOP);
    }
    return 0;
  });
}
