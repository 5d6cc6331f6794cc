// dnn_watch: shows runs in a browser while they train.

#include <exception>
#include <string>

#include "dnn/comm/program.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/options/watch_options.hpp"
#include "dnn/run/answer_code.hpp"
#include "dnn/run/run_watch.hpp"

int main(int argc, char** argv) {
  try {
    const dnn::WatchOptions options = dnn::parse_watch_options(argc, argv);
    if (options.print) {
      dnn::say(*options.print);
      return dnn::answer_code("dnn_watch", dnn::exit_ok);
    }
    dnn::run_watch(options);
    return options.once ? dnn::answer_code("dnn_watch", dnn::exit_ok) : dnn::exit_ok;
  } catch (const std::exception& error) {
    dnn::complain(std::string("dnn_watch: error: ") + error.what());
    return dnn::exit_bad_input;
  }
}
