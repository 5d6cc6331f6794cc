// dnn_model: says what a saved model is, whether its file is whole, and how it differs from others;
// makes reports of runs and exports models.

#include <algorithm>
#include <exception>
#include <string>

#include "dnn/comm/program.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/options/model_options.hpp"
#include "dnn/report/model_comparison.hpp"
#include "dnn/report/model_report.hpp"
#include "dnn/run/answer_code.hpp"
#include "dnn/run/named_model.hpp"
#include "dnn/run/run_export.hpp"

int main(int argc, char** argv) {
  try {
    dnn::ModelOptions options = dnn::parse_model_options(argc, argv);
    if (options.print) {
      dnn::say(*options.print);
      return dnn::answer_code("dnn_model", dnn::exit_ok);
    }
    using Command = dnn::ModelOptions::Command;
    if (options.command != Command::report) {
      std::ranges::transform(options.files, options.files.begin(), dnn::named_model);
    }
    if (options.command == Command::compare) {
      const auto comparison = dnn::ModelComparison::make(options.files.at(0), options.files.at(1));
      dnn::say(comparison.text);
      return dnn::answer_code("dnn_model", comparison.same_bits ? dnn::exit_ok : dnn::exit_failed);
    }
    if (options.command == Command::export_model) {
      dnn::run_export(options);
      return dnn::exit_ok;
    }
    if (options.command == Command::report) {
      dnn::say("report: " + dnn::export_report(options));
      return dnn::exit_ok;
    }
    for (const std::string& file : options.files) {
      const std::string report = options.command == Command::info ? dnn::model_info(file)
                                 : options.command == Command::verify
                                     ? dnn::model_verification(file)
                                     : dnn::model_hash(file);
      dnn::say(report);
    }
    return dnn::answer_code("dnn_model", dnn::exit_ok);
  } catch (const std::exception& error) {
    dnn::complain(std::string("dnn_model: error: ") + error.what());
    return dnn::exit_bad_input;
  }
}
