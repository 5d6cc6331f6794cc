// dnn_train: trains a network on any number of MPI ranks, or computes one update of a run again.

#include <exception>
#include <string>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/launch_timeout.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/comm/stop_request.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/options/options.hpp"
#include "dnn/options/question.hpp"
#include "dnn/run/answer_code.hpp"
#include "dnn/run/run_replay.hpp"
#include "dnn/run/run_training.hpp"

namespace {

int run(int argc, char** argv) {
  const auto answered = dnn::answer_question(argc, argv, "dnn_train",
                                             [&] { return dnn::parse_options(argc, argv).print; });
  if (answered) {
    return dnn::answer_code("dnn_train", *answered);
  }
  dnn::limit_spinning(argv);
  dnn::StopRequest stop("dnn_train");
  dnn::LaunchTimeout launch("dnn_train");
  return dnn::run_mpi_program(argc, argv, "dnn_train", [&](const dnn::Communicator& world) {
    const dnn::Options options = dnn::agree(world, [&] { return dnn::parse_options(argc, argv); });
    if (!options.note.empty() && world.is_root()) {
      dnn::complain("dnn_train: " + options.note);
    }
    if (options.print) {
      if (world.is_root()) {
        dnn::say(*options.print);
      }
      return dnn::answer_code("dnn_train", dnn::exit_ok);
    }
    if (options.replay) {
      return dnn::run_replay(*options.replay, world, stop, launch,
                             [&](const std::string& settings) {
                               return dnn::parse_options(argc, argv, settings).config;
                             });
    }
    return dnn::run_training(options.config, world, stop, launch);
  });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    dnn::complain(std::string("dnn_train: error: ") + error.what());
    return dnn::exit_failed;
  }
}
