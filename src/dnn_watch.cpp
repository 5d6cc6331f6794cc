// dnn_watch: shows runs in a browser while they train.

#include <cstdio>
#include <exception>

#include "dnn/comm/program.hpp"
#include "dnn/run/run_watch.hpp"
#include "dnn/run/watch_options.hpp"

int main(int argc, char** argv) {
  try {
    const dnn::WatchOptions options = dnn::parse_watch_options(argc, argv);
    if (options.print) {
      std::fputs(options.print->c_str(), stdout);
      return dnn::exit_ok;
    }
    dnn::run_watch(options);
    return dnn::exit_ok;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dnn_watch: error: %s\n", error.what());
    return dnn::exit_bad_input;
  }
}
