// dnn_model: says what a saved model is, whether its file is whole, and how it differs from others.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "dnn/comm/program.hpp"
#include "dnn/report/model_comparison.hpp"
#include "dnn/report/model_report.hpp"
#include "dnn/run/command_line.hpp"

int main(int argc, char** argv) {
  try {
    CLI::App app("Looks at a model that dnn_train saved.", "dnn_model");
    app.set_version_flag("--version", "dnn_model " DNN_VERSION);
    std::string path;
    CLI::App* info = app.add_subcommand("info", "print what the model is");
    CLI::App* verify = app.add_subcommand("verify", "check that the file is whole and consistent");
    for (CLI::App* command : {info, verify}) {
      command->add_option("model", path, "the saved model")->required()->type_name("FILE");
    }
    std::vector<std::string> paths;
    CLI::App* hash = app.add_subcommand("hash", "print the SHA-256 of the parameters");
    hash->add_option("files", paths, "saved models and checkpoints")->required()->type_name("FILE");
    std::vector<std::string> both;
    CLI::App* compare = app.add_subcommand(
        "compare",
        "say whether the parameters are the same bits, and what differs; exit code 1 if "
        "they are not");
    compare->add_option("files", both, "two saved models or checkpoints")
        ->required()
        ->expected(2)
        ->type_name("FILE");
    app.require_subcommand(1);
    if (const auto print = dnn::parse_command_line(app, argc, argv)) {
      std::fputs(print->c_str(), stdout);
      return dnn::exit_ok;
    }
    if (*compare) {
      const auto comparison = dnn::ModelComparison::make(both.at(0), both.at(1));
      std::fputs(comparison.text.c_str(), stdout);
      return comparison.same_bits ? dnn::exit_ok : dnn::exit_failed;
    }
    if (*info || *verify) {
      paths = {path};
    }
    for (const std::string& file : paths) {
      const std::string report = *info     ? dnn::model_info(file)
                                 : *verify ? dnn::model_verification(file)
                                           : dnn::model_hash(file);
      std::fputs(report.c_str(), stdout);
    }
    return dnn::exit_ok;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dnn_model: error: %s\n", error.what());
    return dnn::exit_bad_input;
  }
}
