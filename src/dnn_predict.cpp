// dnn_predict: scores data with a model that dnn_train saved, or with several of them.

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/options/question.hpp"
#include "dnn/run/answer_code.hpp"
#include "dnn/run/predict_options.hpp"
#include "dnn/run/run_prediction.hpp"

int main(int argc, char** argv) {
  const auto answered = dnn::answer_question(
      argc, argv, "dnn_predict", [&] { return dnn::parse_predict_options(argc, argv).print; });
  if (answered) {
    return dnn::answer_code("dnn_predict", *answered);
  }
  dnn::limit_spinning(argv);
  return dnn::run_mpi_program(argc, argv, "dnn_predict", [&](const dnn::Communicator& world) {
    const auto options = dnn::agree(world, [&] { return dnn::parse_predict_options(argc, argv); });
    if (options.print) {
      if (world.is_root()) {
        dnn::say(*options.print);
      }
      return dnn::answer_code("dnn_predict", dnn::exit_ok);
    }
    return dnn::run_prediction(options.config, world);
  });
}
