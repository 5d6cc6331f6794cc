#include "dnn/report/model_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstring>

#include "dnn/core/classic_text.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/data/describe_schema.hpp"
#include "dnn/model/environment.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/model/precision.hpp"
#include "dnn/report/saved_parameters.hpp"

namespace dnn {

namespace {

template <class T>
void check_parameters(const std::string& path, const SavedModel& model) {
  for (std::size_t i = 0; i < model.parameters.size() / sizeof(T); ++i) {
    T value{};
    std::memcpy(&value, model.parameters.data() + i * sizeof(T), sizeof(T));
    if (!std::isfinite(value)) {
      throw InputError(fmt::format("{}: parameter {} is not a finite number", path, i + 1));
    }
  }
}

std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t most = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + printable_name(names[i]);
  }
  return names.size() > most ? text + ", ... (" + std::to_string(names.size()) + ")" : text;
}

}  // namespace

std::string model_info(const std::string& path) {
  const SavedModel model = load_model(path);
  const ModelDescription& d = model.description;
  const ParameterLayout layout({d.widths.begin(), d.widths.end()});
  ClassicOutput text;
  text << "written by:  " << d.program << "\nnetwork:     ";
  for (std::size_t n = 0; n < d.widths.size(); ++n) {
    text << (n == 0 ? "" : "-") << d.widths[n];
  }
  text << "\nparameters:  " << layout.parameter_count() << " (" << word_for(d.precision) << ")\n"
       << (d.task == Task::classes ? "classes:     " : fmt::format("{}:", word_for(d.task)))
       << std::string(d.task == Task::classes ? 0 : 12 - std::string(word_for(d.task)).size(), ' ')
       << list(d.class_names) << '\n';
  if (!d.label_thresholds.empty()) {
    std::vector<std::string> thresholds;
    for (std::size_t k = 0; k < d.class_names.size(); ++k) {
      thresholds.push_back(fmt::format("{} {:.4g}", d.class_names[k], d.label_thresholds[k]));
    }
    text << "thresholds:  " << list(thresholds) << '\n';
  }
  for (const std::string& line : describe(d.schema)) {
    text << "table:       " << line << '\n';
  }
  if (!d.feature_names.empty()) {
    text << "features:    " << list(d.feature_names) << '\n';
  }
  text << "normalized:  " << (d.normalizer.is_identity() ? "no" : "yes");
  if (d.normalizer.clip > 0) {
    text << ", then clipped to " << -d.normalizer.clip << " to " << d.normalizer.clip;
  }
  text << "\nepoch:       " << d.epoch << '\n';
  if (d.validation_samples > 0) {
    const Evaluation validation{.loss = d.validation_loss,
                                .accuracy = d.validation_accuracy,
                                .samples = d.validation_samples,
                                .figures = d.validation_figures};
    text << "validation:  " << validation.in_words() << " (" << d.validation_samples
         << " samples)\n";
  }
  text << "SHA-256:     " << parameters_sha256(model.parameters) << " (parameters)\n";
  const Environment environment = Environment::parse(d.environment);
  text << (environment.facts().empty() ? "" : "environment:\n");
  for (const auto& [name, value] : environment.facts()) {
    text << "  " << name << ": " << value << '\n';
  }
  text << "configuration:\n";
  ClassicInput configuration(d.configuration);
  for (std::string line; std::getline(configuration, line);) {
    text << "  " << line << '\n';
  }
  return text.str();
}

std::string model_hash(const std::string& path) {
  return parameters_sha256(SavedParameters::load(path).packed) + "  " + path + '\n';
}

std::string model_verification(const std::string& path) {
  const SavedModel model = load_model(path);
  if (model.description.precision == Precision::f64) {
    check_parameters<double>(path, model);
  } else {
    check_parameters<float>(path, model);
  }
  return path + ": good (checksum, description and " + std::to_string(model.parameters.size()) +
         " bytes of finite parameters)\n";
}

}  // namespace dnn
