#include "dnn/exports/onnx_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>
#include <set>

#include "dnn/core/error.hpp"
#include "dnn/data/calendar.hpp"
#include "dnn/data/number.hpp"
#include "dnn/exports/onnx_graph.hpp"

namespace dnn {

namespace {

using Strings = std::vector<std::string>;

OnnxType onnx_type(Precision precision) {
  return precision == Precision::f64 ? OnnxType::f64 : OnnxType::f32;
}

/// Encodes a table's columns as FeatureEncoding does: doubles, batch x inputs.
class ColumnGraph {
 public:
  ColumnGraph(OnnxGraph& graph, const TableSchema& schema) : graph_(graph), schema_(schema) {}

  std::string encode() {
    for (const TableColumn& column : schema_.columns) {
      if (column.is_feature()) {
        graph_.add_input(column.name,
                         column.kind == ColumnKind::category ? OnnxType::text : OnnxType::f64, 1);
      }
    }
    Strings parts;
    for (const TableColumn& column : schema_.columns) {
      if (column.is_feature() && column.kind != ColumnKind::category) {
        put_numbers(column, parts);
      } else if (column.is_feature() && column.inputs() > 0) {
        parts.push_back(one_hot(column));
      }
    }
    return graph_.node("Concat", parts, {{.name = "axis", .number = 1}});
  }

 private:
  /// A category's place becomes a row with a 1 there; places beyond the row, of texts that the
  /// table lacks, a row of zeros.
  std::string one_hot(const TableColumn& column) {
    const auto width = static_cast<std::int64_t>(column.inputs());
    OnnxGraph::Attribute keys{.name = "keys_strings", .kind = OnnxGraph::Attribute::Kind::texts};
    OnnxGraph::Attribute places{.name = "values_int64s",
                                .kind = OnnxGraph::Attribute::Kind::numbers};
    std::set<std::string> seen;
    const auto add = [&](const std::string& text, std::int64_t place) {
      if (seen.insert(text).second) {
        keys.texts.push_back(text);
        places.numbers.push_back(place);
      }
    };
    for (std::size_t i = 0; i < column.categories.size(); ++i) {
      add(column.categories[i], static_cast<std::int64_t>(i));
    }
    const std::int64_t missing = column.marks_missing ? width - 1 : width;
    add("", missing);
    for (const Strings* words : {&schema_.missing_words, &column.missing_words}) {
      for (const std::string& word : *words) {
        add(word, missing);
      }
    }
    const std::int64_t other =
        column.has_other ? static_cast<std::int64_t>(column.categories.size()) : width;
    const std::string place =
        graph_.node("LabelEncoder", {column.name},
                    {keys, places, {.name = "default_int64", .number = other}}, "ai.onnx.ml");
    const std::int64_t flat[] = {-1};
    const std::string column_of_places = graph_.node(
        "Reshape", {place, graph_.constant(OnnxType::i64, {1},
                                           {reinterpret_cast<const char*>(flat), sizeof(flat)})});
    // ONNX Runtime has it for float.
    const float marks[] = {0, 1};
    const std::string off_and_on =
        graph_.constant(OnnxType::f32, {2}, {reinterpret_cast<const char*>(marks), sizeof(marks)});
    return graph_.cast(
        graph_.node("OneHot", {column_of_places, graph_.constant(width), off_and_on}),
        OnnxType::f64);
  }

  /// True where a number is NaN, or one that stands for a missing value.
  std::string missing_numbers(const TableColumn& column) {
    std::string missing = graph_.node("IsNaN", {column.name});
    for (const std::string& word : schema_.missing_words) {
      const std::optional<double> number = parse_number<double>(word);
      if (column.kind == ColumnKind::number && number && std::isfinite(*number)) {
        missing = graph_.node("Or", {missing, apply("Equal", column.name, *number)});
      }
    }
    return missing;
  }

  void put_numbers(const TableColumn& column, Strings& parts) {
    const std::string missing = missing_numbers(column);
    const std::string value =
        graph_.node("Where", {missing, graph_.constant(column.fill), column.name});
    parts.push_back(value);
    if (column.kind == ColumnKind::date) {
      put_cycles(column, missing, value, parts);
    }
    if (column.marks_missing) {
      parts.push_back(graph_.cast(missing, OnnxType::f64));
    }
  }

  std::string apply(const char* operation, const std::string& a, double b) {
    return graph_.node(operation, {a, graph_.constant(b)});
  }
  std::string floor_of(const std::string& a) { return graph_.node("Floor", {a}); }
  /// a modulo b, never negative.
  std::string modulo(const std::string& a, double b) {
    return graph_.node("Sub", {a, apply("Mul", floor_of(apply("Div", a, b)), b)});
  }

  /// Sine and cosine of the part of a cycle; 0 where the date is missing.
  void put_cycle(const std::string& part, const std::string& missing, Strings& parts) {
    // In float: not every version of ONNX Runtime has sines of doubles.
    const std::string angle = graph_.cast(apply("Mul", part, 2 * std::numbers::pi), OnnxType::f32);
    for (const char* function : {"Sin", "Cos"}) {
      const std::string value = graph_.cast(graph_.node(function, {angle}), OnnxType::f64);
      parts.push_back(graph_.node("Where", {missing, graph_.constant(0.0), value}));
    }
  }

  void put_cycles(const TableColumn& column, const std::string& missing, const std::string& value,
                  Strings& parts) {
    const std::string days = apply("Div", value, seconds_a_day);
    const std::string day = floor_of(days);
    if (column.hour) {
      put_cycle(graph_.node("Sub", {days, day}), missing, parts);
    }
    if (column.weekday) {  // 1970-01-01 was a Thursday, 3 from Monday
      put_cycle(apply("Div", modulo(apply("Add", day, 3), 7), 7), missing, parts);
    }
    if (column.month) {
      put_cycle(apply("Div", month_of_day(day), 12), missing, parts);
    }
  }

  /// 0 for January; H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
  std::string month_of_day(const std::string& day) {
    const std::string of_era = modulo(apply("Add", day, 719468), 146097);
    const auto part = [&](double length) { return floor_of(apply("Div", of_era, length)); };
    std::string years = graph_.node("Sub", {of_era, part(1460)});
    years = graph_.node("Add", {years, part(36524)});
    years = graph_.node("Sub", {years, part(146096)});
    years = floor_of(apply("Div", years, 365));
    std::string of_year = graph_.node("Sub", {of_era, apply("Mul", years, 365)});
    of_year = graph_.node("Sub", {of_year, floor_of(apply("Div", years, 4))});
    of_year = graph_.node("Add", {of_year, floor_of(apply("Div", years, 100))});
    const std::string from_march =
        floor_of(apply("Div", apply("Add", apply("Mul", of_year, 5), 2), 153));
    return modulo(apply("Add", from_march, 2), 12);
  }

  OnnxGraph& graph_;
  const TableSchema& schema_;
};

std::string_view raw_bytes(const ExportedTensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

/// The constants of the model's arrays, by name.
class ModelConstants {
 public:
  ModelConstants(OnnxGraph& graph, const ExportedModel& model) : graph_(graph), model_(model) {}
  std::string operator[](const std::string& name) const {
    const auto found =
        std::find_if(model_.tensors().begin(), model_.tensors().end(),
                     [&](const ExportedTensor& tensor) { return tensor.name == name; });
    return graph_.constant(onnx_type(found->type), found->shape, raw_bytes(*found));
  }

 private:
  OnnxGraph& graph_;
  const ExportedModel& model_;
};

void check_bytes(const ExportedModel& model) {
  std::uint64_t bytes = 2 * model.description_json().size();
  for (const ExportedTensor& tensor : model.tensors()) {
    bytes += tensor.bytes.size();
  }
  if (bytes > std::numeric_limits<std::int32_t>::max()) {
    throw InputError(
        fmt::format("an ONNX file holds at most 2 GiB; this model has {} bytes. Use --format npz "
                    "or safetensors",
                    bytes));
  }
}

}  // namespace

std::string onnx_model(const ExportedModel& model) {
  check_bytes(model);
  const ModelDescription& d = model.description();
  const OnnxType type = onnx_type(d.precision);
  OnnxGraph graph;
  const ModelConstants constants(graph, model);
  std::string A;
  if (d.schema.empty()) {
    graph.add_input("inputs", type, d.widths.front());
    A = graph.cast("inputs", OnnxType::f64);
  } else {
    A = ColumnGraph(graph, d.schema).encode();
  }
  A = graph.node("Mul", {graph.node("Sub", {A, constants["center"]}), constants["scale"]});
  if (d.normalizer.clip > 0) {
    A = graph.node("Max", {A, graph.constant(-d.normalizer.clip)});
    A = graph.node("Min", {A, graph.constant(d.normalizer.clip)});
  }
  A = graph.cast(A, type);
  for (std::size_t n = 1; n < d.widths.size(); ++n) {
    const std::string number = std::to_string(n);
    A = graph.node("Gemm", {A, constants["W" + number], constants["B" + number]});
    if (n + 1 < d.widths.size()) {
      // ONNX Runtime of 2023 fuses Gemm and Relu, or Sigmoid, to what it lacks for double.
      A = type == OnnxType::f64 ? graph.node("Max", {A, graph.constant(0.0)})
                                : graph.node("Relu", {A});
    }
  }
  if (d.task == Task::numbers) {
    A = graph.node("Div", {graph.cast(A, OnnxType::f64), constants["target_scale"]});
    A = graph.node("Add", {A, constants["target_center"]}, {}, "", graph.free_name("numbers"));
  } else if (d.task == Task::labels) {
    if (type == OnnxType::f64) {
      A = graph.node("Max", {A, graph.constant(-1000.0)});  // whose sigmoid is 0
    }
    A = graph.node("Sigmoid", {A}, {}, "", graph.free_name("probabilities"));
  } else {
    A = graph.node("Softmax", {A}, {{.name = "axis", .number = 1}}, "",
                   graph.free_name("probabilities"));
  }
  // Numbers may need more digits than the network computes with.
  graph.add_output(A, d.task == Task::numbers ? OnnxType::f64 : type, d.widths.back());
  const auto names =
      nlohmann::json(d.class_names).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return graph.model(d.program,
                     {{"output_names", names}, {"description", model.description_json()}});
}

}  // namespace dnn
