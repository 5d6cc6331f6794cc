#include "dnn/exports/onnx_graph.hpp"

#include <fmt/format.h>

#include "dnn/core/error.hpp"

namespace dnn {

// Numbers of fields and types: onnx.proto of ONNX 1.13.

namespace {

constexpr std::int64_t ir_version = 8;  // of 2022, with opset 15 and more
constexpr std::int64_t opset = 15;
constexpr std::int64_t ml_opset = 3;

std::string_view raw_of(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

ProtobufMessage attribute_message(const OnnxGraph::Attribute& attribute) {
  using Kind = OnnxGraph::Attribute::Kind;
  ProtobufMessage message;
  message.add(1, attribute.name);
  switch (attribute.kind) {
    case Kind::number:
      message.add(3, attribute.number).add(20, 2);
      break;
    case Kind::numbers:
      for (const std::int64_t number : attribute.numbers) {
        message.add(8, number);
      }
      message.add(20, 7);
      break;
    case Kind::texts:
      for (const std::string& text : attribute.texts) {
        message.add(9, text);
      }
      message.add(20, 8);
      break;
  }
  return message;
}

}  // namespace

ProtobufMessage OnnxGraph::value_info(const std::string& name, OnnxType type,
                                      std::uint64_t columns) {
  ProtobufMessage batch;
  batch.add(2, "batch");
  ProtobufMessage width;
  width.add(1, static_cast<std::int64_t>(columns));
  ProtobufMessage shape;
  shape.add(1, batch).add(1, width);
  ProtobufMessage tensor;
  tensor.add(1, static_cast<int>(type)).add(2, shape);
  ProtobufMessage any;
  any.add(1, tensor);
  ProtobufMessage info;
  info.add(1, name).add(2, any);
  return info;
}

void OnnxGraph::add_input(const std::string& name, OnnxType type, std::uint64_t columns) {
  if (name.empty() || !taken_.insert(name).second) {
    throw InputError(
        fmt::format("ONNX needs a name of its own for each column, but {}. Give the columns names "
                    "in the table's "
                    "first line and train again, or use another --format",
                    name.empty() ? "one has none" : "two are called " + in_quotes(name)));
  }
  inputs_.add(11, value_info(name, type, columns));
}

std::string OnnxGraph::new_name() {
  std::string name;
  do {
    name = "value_" + std::to_string(++names_);
  } while (taken_.count(name) > 0);
  return name;
}

std::string OnnxGraph::free_name(std::string name) const {
  while (taken_.count(name) > 0) {
    name += '_';
  }
  return name;
}

void OnnxGraph::add_output(const std::string& name, OnnxType type, std::uint64_t columns) {
  outputs_.add(12, value_info(name, type, columns));
}

std::string OnnxGraph::constant(OnnxType type, const std::vector<std::uint64_t>& shape,
                                std::string_view raw) {
  ProtobufMessage tensor;
  for (const std::uint64_t size : shape) {
    tensor.add(1, static_cast<std::int64_t>(size));
  }
  std::string name = new_name();
  tensor.add(2, static_cast<int>(type)).add(8, name).add(9, raw);
  initializers_.add(5, tensor);
  return name;
}

std::string OnnxGraph::constant(double value) {
  return constant(OnnxType::f64, {}, raw_of(&value, sizeof(value)));
}

std::string OnnxGraph::constant(const std::vector<double>& values) {
  return constant(OnnxType::f64, {values.size()},
                  raw_of(values.data(), values.size() * sizeof(double)));
}

std::string OnnxGraph::constant(std::int64_t value) {
  return constant(OnnxType::i64, {}, raw_of(&value, sizeof(value)));
}

std::string OnnxGraph::node(const char* operation, const std::vector<std::string>& inputs,
                            const std::vector<Attribute>& attributes, const char* domain,
                            const std::string& result) {
  std::string name = result.empty() ? new_name() : result;
  ProtobufMessage node;
  for (const std::string& input : inputs) {
    node.add(1, input);
  }
  node.add(2, name).add(4, operation);
  for (const Attribute& attribute : attributes) {
    node.add(5, attribute_message(attribute));
  }
  if (*domain != '\0') {
    node.add(7, domain);
  }
  nodes_.add(1, node);
  return name;
}

std::string OnnxGraph::cast(const std::string& value, OnnxType type, const std::string& result) {
  return node("Cast", {value}, {{.name = "to", .number = static_cast<int>(type)}}, "", result);
}

std::string OnnxGraph::model(
    const std::string& producer,
    const std::vector<std::pair<std::string, std::string>>& metadata) const {
  ProtobufMessage name;
  name.add(2, "dnn_train");
  ProtobufMessage model;
  model.add(1, ir_version).add(2, producer);
  model.add(7, nodes_.bytes() + name.bytes() + initializers_.bytes() + inputs_.bytes() +
                   outputs_.bytes());
  for (const auto& [domain, version] : {std::pair("", opset), std::pair("ai.onnx.ml", ml_opset)}) {
    ProtobufMessage import;
    import.add(1, domain).add(2, version);
    model.add(8, import);
  }
  for (const auto& [key, value] : metadata) {
    ProtobufMessage entry;
    entry.add(1, key).add(2, value);
    model.add(14, entry);
  }
  return model.bytes();
}

}  // namespace dnn
