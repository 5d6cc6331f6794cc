#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dnn/core/protobuf_message.hpp"

namespace dnn {

/// The element types of ONNX's tensors that are used here.
enum class OnnxType { f32 = 1, i64 = 7, text = 8, f64 = 11 };

/// Builds an ONNX model: a node after the other, whose results have names.
class OnnxGraph {
 public:
  struct Attribute {
    std::string name;
    std::int64_t number = 0;
    std::vector<std::int64_t> numbers = {};
    std::vector<std::string> texts = {};
    enum class Kind { number, numbers, texts } kind = Kind::number;
  };

  /// A value of the caller: `batch` x `columns`. All inputs come before the first node. Throws
  /// InputError for a name that is empty or another input's.
  void add_input(const std::string& name, OnnxType type, std::uint64_t columns);
  /// `name`, or, where an input has it, that with underscores.
  [[nodiscard]] std::string free_name(std::string name) const;
  void add_output(const std::string& name, OnnxType type, std::uint64_t columns);

  /// A constant; returns its name. `raw`: its elements as bytes.
  std::string constant(OnnxType type, const std::vector<std::uint64_t>& shape,
                       std::string_view raw);
  std::string constant(double value);
  std::string constant(const std::vector<double>& values);
  std::string constant(std::int64_t value);

  /// A node with one result, whose name is returned: `result`, or a new one.
  std::string node(const char* operation, const std::vector<std::string>& inputs,
                   const std::vector<Attribute>& attributes = {}, const char* domain = "",
                   const std::string& result = "");
  std::string cast(const std::string& value, OnnxType type, const std::string& result = "");

  /// The whole model. `metadata`: names and texts.
  [[nodiscard]] std::string model(
      const std::string& producer,
      const std::vector<std::pair<std::string, std::string>>& metadata) const;

 private:
  static ProtobufMessage value_info(const std::string& name, OnnxType type, std::uint64_t columns);
  std::string new_name();

  ProtobufMessage nodes_, initializers_, inputs_, outputs_;  ///< parts of GraphProto
  std::set<std::string> taken_;                              ///< names of inputs
  std::uint64_t names_ = 0;
};

}  // namespace dnn
