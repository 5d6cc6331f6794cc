// dnn_train, but for the size from which on all ranks write their parts of a checkpoint: the first
// argument, in bytes; and --model-parallel splits hidden layers of any width. The other arguments
// are those of dnn_train.

#include <string>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/launch_timeout.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/comm/stop_request.hpp"
#include "dnn/options/options.hpp"
#include "dnn/run/run_training.hpp"

int main(int argc, char** argv) {
  dnn::StopRequest stop("dnn_train");
  dnn::LaunchTimeout guard("dnn_train");
  return dnn::run_mpi_program(argc, argv, "dnn_train", [&](const dnn::Communicator& world) {
    dnn::Options options =
        dnn::agree(world, [&] { return dnn::parse_options(argc - 1, argv + 1); });
    options.config.parallel_checkpoint_bytes = std::stoull(argv[1]);
    options.config.least_part_bytes = 0;
    options.config.split_hidden = true;
    options.config.least_split_nodes = 1;
    return dnn::run_training(options.config, world, stop, guard);
  });
}
