#include "dnn/report/saved_parameters.hpp"

#include <cstring>
#include <utility>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/model/container.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/model/precision.hpp"

namespace dnn {

SavedParameters SavedParameters::load(const std::string& path) {
  if (ContainerReader::begins_as(path, Container::checkpoint)) {
    Checkpoint checkpoint = load_checkpoint(path);
    return {std::move(checkpoint.widths), checkpoint.precision,
            Environment::parse(checkpoint.environment),
            std::move(checkpoint.has_average ? checkpoint.optimizer_state.back()
                                             : checkpoint.parameters)};
  }
  SavedModel model = load_model(path);
  return {std::move(model.description.widths), model.description.precision,
          Environment::parse(model.description.environment), std::move(model.parameters)};
}

std::size_t SavedParameters::count() const {
  return packed.size() / (precision == Precision::f64 ? sizeof(double) : sizeof(float));
}

double SavedParameters::at(std::size_t i) const {
  if (precision == Precision::f64) {
    double value = 0;
    std::memcpy(&value, packed.data() + i * sizeof(value), sizeof(value));
    return value;
  }
  float value = 0;
  std::memcpy(&value, packed.data() + i * sizeof(value), sizeof(value));
  return value;
}

std::string SavedParameters::network() const {
  std::string text;
  for (const std::uint64_t width : widths) {
    text += (text.empty() ? "" : "-") + std::to_string(width);
  }
  return text + " (" + word_for(precision) + ")";
}

}  // namespace dnn
