#include "dnn/exports/exported_model.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/data/table_schema_json.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

const char* word_for_output(Task task) {
  return task == Task::labels ? "sigmoid" : task == Task::numbers ? "numbers" : "softmax";
}

Json described(const ModelDescription& d, const std::vector<std::string>& input_names) {
  Json json = {{"program", d.program},
               {"task", word_for(d.task)},
               {"widths", d.widths},
               {"activation", "relu"},
               {"output", word_for_output(d.task)},
               {"output_names", d.class_names},
               {"input_names", input_names},
               {"clip", d.normalizer.clip},
               {"epoch", d.epoch},
               {"configuration", d.configuration}};
  if (!d.label_thresholds.empty()) {
    json["label_thresholds"] = d.label_thresholds;
  }
  if (d.index_base >= 0) {
    json["index_base"] = d.index_base;
  }
  if (!d.schema.empty()) {
    json["table"] = to_json(d.schema);
  }
  return json;
}

}  // namespace

ExportedModel::ExportedModel(SavedModel model)
    : model_(std::move(model)),
      center_(model_.description.normalizer.center),
      scale_(model_.description.normalizer.scale),
      target_center_(model_.description.target_scale.center),
      target_scale_(model_.description.target_scale.scale) {
  const ModelDescription& d = model_.description;
  if (d.normalizer.is_identity()) {
    center_.assign(d.widths.front(), 0.0);
    scale_.assign(d.widths.front(), 1.0);
  }
  std::span<const std::byte> rest(model_.parameters);
  const auto take = [&](std::string name, std::vector<std::uint64_t> shape) {
    std::size_t bytes = element_bytes(d.precision);
    for (const std::uint64_t size : shape) {
      bytes *= size;
    }
    tensors_.push_back({std::move(name), std::move(shape), d.precision, rest.first(bytes)});
    rest = rest.subspan(bytes);
  };
  for (std::size_t n = 1; n < d.widths.size(); ++n) {
    take("W" + std::to_string(n), {d.widths[n - 1], d.widths[n]});
    take("B" + std::to_string(n), {d.widths[n]});
  }
  if (d.task == Task::numbers && d.target_scale.is_identity()) {
    target_center_.assign(d.widths.back(), 0.0);
    target_scale_.assign(d.widths.back(), 1.0);
  }
  for (const auto& [name, values] :
       {std::pair("center", &center_), std::pair("scale", &scale_),
        std::pair("target_center", &target_center_), std::pair("target_scale", &target_scale_)}) {
    if (!values->empty()) {
      tensors_.push_back(
          {name, {values->size()}, Precision::f64, std::as_bytes(std::span(*values))});
    }
  }
  json_ = described(d, input_names()).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::vector<std::string> ExportedModel::input_names() const {
  const ModelDescription& d = model_.description;
  return d.schema.empty() ? d.feature_names : d.schema.input_names();
}

}  // namespace dnn
