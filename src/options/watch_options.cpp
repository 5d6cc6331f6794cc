#include "dnn/options/watch_options.hpp"

#include <CLI/CLI.hpp>

#include "dnn/options/command_line.hpp"

namespace dnn {

WatchOptions parse_watch_options(int argc, const char* const* argv) {
  WatchOptions options;
  CLI::App app(
      "Shows runs of dnn_train in a browser while they train: serves their reports on this machine "
      "alone (but see --listen), under an address that holds a secret token, and reads the run "
      "folders' files only. "
      "With "
      "--text it draws one run's curves in the terminal.",
      "dnn_watch");
  app.add_option("folder", options.folder, "the folder of a run, or a folder of runs")
      ->required()
      ->type_name("FOLDER");
  app.add_option("--port", options.port, "port to listen on; 0 takes a free one")
      ->transform(whole_number())
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--listen", options.listen,
                 "address of this machine to listen on; other machines reach every address but "
                 "the default one, and whoever knows the token sees the runs")
      ->type_name("ADDRESS")
      ->capture_default_str();
  CLI::Option* const text =
      app.add_flag("--text", options.text,
                   "draw the curves of one run in the terminal, again every two seconds");
  app.add_flag("--once", options.once, "with --text: draw once and end")->needs(text);
  options.print = parse_command_line(app, argc, argv);
  return options;
}

}  // namespace dnn
