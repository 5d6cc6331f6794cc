// A job in which one rank throws while the others wait in a collective: what every program of the
// project does with an error that only one rank meets. Usage: failing_rank RANK

#include <cstdlib>
#include <stdexcept>

#include "dnn/comm/program.hpp"

int main(int argc, char** argv) {
  return dnn::run_mpi_program(argc, argv, "failing_rank", [&](const dnn::Communicator& world) {
    if (world.rank() == std::atoi(argv[1])) {
      throw std::runtime_error("the disk is on fire");
    }
    world.barrier();
    return 0;
  });
}
