#include "dnn/run/predict_options.hpp"

#include <CLI/CLI.hpp>

#include "dnn/options/choices.hpp"
#include "dnn/options/command_line.hpp"

namespace dnn {

PredictOptions parse_predict_options(int argc, const char* const* argv) {
  PredictOptions options;
  PredictConfig& config = options.config;
  CLI::App app(
      "Scores data with a model that dnn_train saved, or with the average of several, on any "
      "number "
      "of MPI ranks.",
      "dnn_predict");
  CLI::Option* model =
      app.add_option("--model", config.models, "the saved model, or the folder of its run")
          ->type_name("FILE")
          ->expected(1);
  CLI::Option* ensemble =
      app.add_option("--logit-ensemble", config.models,
                     "several saved models, spread over the ranks, whose answers are averaged")
          ->type_name("FILE ...")
          ->expected(1, -1)
          ->excludes(model);
  std::string average = word_for(config.average);
  app.add_option("--ensemble-average", average,
                 "what the models of an ensemble have averaged: their logits or probabilities")
      ->check(CLI::IsMember({"logits", "probabilities"}))
      ->needs(ensemble)
      ->capture_default_str();
  CLI::Option* data =
      app.add_option(
             "--data", config.data,
             "the data, in any form dnn_train reads; of a folder, an NPZ or an HDF5 file, the "
             "test part if there is one")
          ->type_name("PATH")
          ->capture_default_str();
  app.add_option("--label-column", config.label_column,
                 "the label's column, if there is one; as for dnn_train")
      ->type_name("NAME|N");
  app.add_option("--csv-header", config.csv_header,
                 "whether a CSV file's first line names its columns")
      ->check(CLI::IsMember({"auto", "yes", "no"}))
      ->capture_default_str();
  app.add_option("--missing", config.missing,
                 "words that stand for a missing value in a table; default: as in training")
      ->type_name("WORD,...");
  app.add_option(
         "--keep", config.keep,
         "columns of a table that are copied into the predictions, like an identifier: names "
         "or numbers, as for --label-column; a column whose name holds a comma by its number")
      ->type_name("NAME|N,...")
      ->delimiter(',');
  app.add_option("--output", config.output,
                 "the file of predictions: CSV, or *.npy, which holds the probabilities, or the "
                 "predicted numbers, alone")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--top", config.top,
                 "write the K likeliest classes and their probabilities (class1,p1,class2,p2, ...) "
                 "instead of the probability of every class")
      ->type_name("K")
      ->transform(whole_number())
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 31));
  app.add_flag("--overwrite", config.overwrite, "replace the output file if it exists");
  app.add_flag("--quiet", config.quiet, "print errors only");
  options.print = parse_command_line(app, argc, argv);
  config.names_data = data->count() > 0;
  config.average = choices<EnsembleAverage>().at(average);
  return options;
}

}  // namespace dnn
