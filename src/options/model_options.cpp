#include "dnn/options/model_options.hpp"

#include <CLI/CLI.hpp>
#include <map>

#include "dnn/options/command_line.hpp"

namespace dnn {

namespace {

constexpr const char* model_or_run = "a saved model, or the folder of a run (its best model)";

const std::map<std::string, ExportFormat>& export_formats() {
  static const std::map<std::string, ExportFormat> words = {
      {"npz", ExportFormat::npz},
      {"safetensors", ExportFormat::safetensors},
      {"onnx", ExportFormat::onnx},
      {"header", ExportFormat::header}};
  return words;
}

}  // namespace

ModelOptions parse_model_options(int argc, const char* const* argv) {
  ModelOptions options;
  CLI::App app("Looks at a model that dnn_train saved.", "dnn_model");
  const auto add_command = [&](ModelOptions::Command command, const char* name, const char* help) {
    CLI::App* added = app.add_subcommand(name, help);
    added->callback([&options, command] { options.command = command; });
    return added;
  };
  CLI::App* info = add_command(ModelOptions::Command::info, "info", "print what the model is");
  CLI::App* verify = add_command(ModelOptions::Command::verify, "verify",
                                 "check that the file is whole and consistent");
  for (CLI::App* command : {info, verify}) {
    command
        ->add_option_function<std::string>(
            "model", [&options](const std::string& file) { options.files = {file}; }, model_or_run)
        ->required()
        ->type_name("MODEL");
  }
  add_command(ModelOptions::Command::hash, "hash", "print the SHA-256 of the parameters")
      ->add_option("files", options.files,
                   "saved models, checkpoints and folders of runs (their best models)")
      ->required()
      ->type_name("MODEL");
  add_command(ModelOptions::Command::compare, "compare",
              "say whether the parameters are the same bits, and what differs; exit code 1 if "
              "they are not")
      ->add_option("files", options.files,
                   "two saved models, checkpoints or folders of runs (their best models)")
      ->required()
      ->expected(2)
      ->type_name("MODEL");
  CLI::App* report = add_command(
      ModelOptions::Command::report, "report",
      "write the page that shows a run (report.html in its folder), or compares several");
  report->add_option("runs", options.files, "folders of runs, finished or not")
      ->required()
      ->type_name("RUN");
  report->add_option("--output", options.output, "file to write; needed with several runs")
      ->type_name("FILE");
  CLI::App* exported = add_command(ModelOptions::Command::export_model, "export",
                                   "write a model for programs that do not know dnn_train");
  exported->add_option("model", options.files, model_or_run)
      ->required()
      ->expected(1)
      ->type_name("MODEL");
  exported
      ->add_option_function<std::string>(
          "--format",
          [&options](const std::string& word) { options.format = export_formats().at(word); },
          "npz (NumPy), safetensors (PyTorch and others), onnx (ONNX Runtime) or header (C++, with "
          "predict())")
      ->required()
      ->check(CLI::IsMember(export_formats()));
  exported->add_option("--output", options.output, "file to write")->required()->type_name("FILE");
  for (CLI::App* command : {report, exported}) {
    command->add_flag("--overwrite", options.overwrite, "replace the output file if it exists");
  }
  app.require_subcommand(1);
  options.print = parse_command_line(app, argc, argv);
  return options;
}

}  // namespace dnn
