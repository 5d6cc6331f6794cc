#include "dnn/report/session_info.hpp"

#include <string>
#include <variant>

#include "dnn/core/printable.hpp"

namespace dnn {

namespace {

// Fields of Summary.Value, SummaryMetadata, PluginData and HParamsPluginData.
constexpr int tag_of_value = 1;
constexpr int tensor_of_value = 8;
constexpr int metadata_of_value = 9;
constexpr int plugin_of_metadata = 1;
constexpr int plugin_name = 1;
constexpr int plugin_content = 2;
constexpr int start_of_session = 3;
constexpr int end_of_session = 4;

/// A google.protobuf.Value.
ProtobufMessage plugin_value(const std::variant<bool, double, std::string>& value) {
  ProtobufMessage message;
  if (const auto* number = std::get_if<double>(&value)) {
    message.add(2, *number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    message.add(3, printable(*text));
  } else {
    message.add(4, std::get<bool>(value) ? 1 : 0);
  }
  return message;
}

/// No numbers at all: the plugin reads its content alone, but TensorBoard shows no value without a
/// tensor.
ProtobufMessage empty_tensor() {
  constexpr int float_type = 1;  // DT_FLOAT
  ProtobufMessage dimension;
  dimension.add(1, 0);
  ProtobufMessage shape;
  shape.add(2, dimension);
  ProtobufMessage tensor;
  tensor.add(1, float_type).add(2, shape);
  return tensor;
}

ProtobufMessage session_value(const char* tag, int kind, const ProtobufMessage& data) {
  ProtobufMessage content;
  content.add(kind, data);
  ProtobufMessage plugin;
  plugin.add(plugin_name, "hparams").add(plugin_content, content);
  ProtobufMessage metadata;
  metadata.add(plugin_of_metadata, plugin);
  ProtobufMessage value;
  value.add(tag_of_value, tag)
      .add(tensor_of_value, empty_tensor())
      .add(metadata_of_value, metadata);
  return value;
}

}  // namespace

ProtobufMessage session_start(const std::vector<HyperParameter>& hyperparameters, double time) {
  ProtobufMessage start;
  for (const HyperParameter& one : hyperparameters) {
    ProtobufMessage entry;  // of a map
    entry.add(1, printable(one.name)).add(2, plugin_value(one.value));
    start.add(1, entry);
  }
  start.add(5, time);
  return session_value("_hparams_/session_start_info", start_of_session, start);
}

ProtobufMessage session_end(double time) {
  constexpr int success = 1;  // STATUS_SUCCESS
  ProtobufMessage end;
  end.add(1, success).add(2, time);
  return session_value("_hparams_/session_end_info", end_of_session, end);
}

}  // namespace dnn
