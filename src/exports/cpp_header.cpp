#include "dnn/exports/cpp_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

constexpr std::uint64_t most_parameters = 10'000'000;
constexpr std::uint64_t most_nodes = 65'536;

/// A string literal of ASCII: other bytes, and what C++ reads otherwise, as octal numbers.
std::string literal(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e || c == '"' || c == '\\' || c == '?') {
      result += fmt::format("\\{:03o}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

void put_names(std::string& text, const char* name, const std::vector<std::string>& names) {
  text += fmt::format("static const char* const {}[] = {{\n", name);
  for (const std::string& one : names) {
    text += "    " + literal(one) + ",\n";
  }
  text += "};\n\n";
}

/// The shortest numbers that are read back as they were.
template <class T>
void put_numbers(std::string& text, const char* type, const std::string& name,
                 std::span<const std::byte> bytes) {
  const std::size_t count = bytes.size() / sizeof(T);
  text += fmt::format("static const {} {}[{}] = {{", type, name, count);
  for (std::size_t i = 0; i < count; ++i) {
    T value{};
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    text += i % 8 == 0 ? "\n    " : " ";
    fmt::format_to(std::back_inserter(text), sizeof(T) == sizeof(float) ? "{:#}F," : "{:#},",
                   value);
  }
  text += "\n};\n\n";
}

/// Of each input: what it is where its column has no value. Empty where no column is a number or a
/// date.
std::vector<double> fills_of(const TableSchema& schema) {
  std::vector<double> fills;
  bool has_fill = false;
  for (const TableColumn& column : schema.columns) {
    const bool is_category = column.kind == ColumnKind::category;
    std::vector<double> inputs(column.inputs(), 0.0);
    if (column.marks_missing && !inputs.empty()) {
      inputs.back() = 1;
    }
    if (column.is_feature() && !is_category) {
      inputs.front() = column.fill;
      has_fill = true;
    }
    fills.insert(fills.end(), inputs.begin(), inputs.end());
  }
  return has_fill ? fills : std::vector<double>();
}

/// What users may need besides predict(): numbers of inputs and outputs.
void put_fills_and_thresholds(std::string& text, const std::vector<double>& fills,
                              const ModelDescription& d) {
  if (!fills.empty()) {
    text += "// What inputs are where the column that they are made of has no value.\n";
    put_numbers<double>(text, "double", "input_fill", std::as_bytes(std::span(fills)));
  }
  if (!d.label_thresholds.empty()) {
    text += "// A label is given where its output is at least this.\n";
    put_numbers<double>(text, "double", "label_thresholds",
                        std::as_bytes(std::span(d.label_thresholds)));
  }
}

void put_layer(std::string& text, std::size_t n, const ModelDescription& d) {
  const bool is_last = n + 1 == d.widths.size();
  const char* const from = n % 2 == 1 ? "even" : "odd";
  const char* const last = d.task == Task::numbers ? "last" : "outputs";
  const std::string to = is_last ? last : n % 2 == 1 ? "odd" : "even";
  text += fmt::format("  detail::layer({}, {}, {}, W{}, B{}, {});\n", from, d.widths[n - 1],
                      d.widths[n], n, n, to);
  if (!is_last) {
    text += fmt::format("  detail::relu({}, {});\n", to, d.widths[n]);
  }
}

constexpr const char* functions = R"(namespace detail {{

/// out = in W + B; W is row-major, inputs x outputs.
inline void layer(const number* in, int inputs, int outputs, const number* W, const number* B,
                  number* out) {{
  for (int k = 0; k < outputs; ++k) {{
    out[k] = B[k];
  }}
  for (int j = 0; j < inputs; ++j) {{
    for (int k = 0; k < outputs; ++k) {{
      out[k] += in[j] * W[static_cast<long>(j) * outputs + k];
    }}
  }}
}}

inline void relu(number* values, int count) {{
  for (int k = 0; k < count; ++k) {{
    values[k] = values[k] > 0 ? values[k] : 0;
  }}
}}

/// Logits become probabilities; returns the place of the largest.
inline int softmax(number* values, int count) {{
  int largest = 0;
  for (int k = 1; k < count; ++k) {{
    largest = values[k] > values[largest] ? k : largest;
  }}
  const number top = values[largest];
  number sum = 0;
  for (int k = 0; k < count; ++k) {{
    values[k] = std::exp(values[k] - top);
    sum += values[k];
  }}
  for (int k = 0; k < count; ++k) {{
    values[k] /= sum;
  }}
  return largest;
}}

}}  // namespace detail

/// {} `inputs`: input_count numbers as they were measured{}{}.
/// `outputs`: output_count numbers that are written, in the order of output_names{}.
inline {} predict(const double* inputs, output_number* outputs) {{
  number even[{}];
{}  for (int j = 0; j < input_count; ++j) {{
    even[j] = static_cast<number>((inputs[j] - center[j]) * scale[j]);
    if (clip > 0) {{
      even[j] = even[j] > clip ? clip : even[j] < -clip ? -clip : even[j];
    }}
  }}
)";

const char* meaning_of(Task task) {
  switch (task) {
    case Task::labels:
      return "Writes the probability of each label.";
    case Task::numbers:
      return "Writes the numbers, in their units.";
    default:
      return "Writes the probability of each class; returns the place of the largest.";
  }
}

/// The last lines of predict(), in which outputs are still logits; those of numbers are in `last`.
std::string end_of(Task task) {
  switch (task) {
    case Task::labels:
      return "  for (int k = 0; k < output_count; ++k) {\n"
             "    outputs[k] = outputs[k] < 0 ? std::exp(outputs[k]) / (1 + std::exp(outputs[k]))\n"
             "                                : 1 / (1 + std::exp(-outputs[k]));\n  }\n";
    case Task::numbers:
      return "  for (int k = 0; k < output_count; ++k) {\n"
             "    outputs[k] = last[k] / target_scale[k] + target_center[k];\n  }\n";
    default:
      return "  return detail::softmax(outputs, output_count);\n";
  }
}

void check_size(const ModelDescription& d) {
  std::uint64_t parameters = 0;
  for (std::size_t n = 1; n < d.widths.size(); ++n) {
    parameters += (d.widths[n - 1] + 1) * d.widths[n];
  }
  const std::uint64_t widest = *std::max_element(d.widths.begin(), d.widths.end());
  if (parameters > most_parameters || widest > most_nodes) {
    throw InputError(fmt::format(
        "a C++ header holds at most {} parameters and layers of {} nodes; this model has {} "
        "parameters and a layer of {}. Use --format npz or safetensors",
        most_parameters, most_nodes, parameters, widest));
  }
}

}  // namespace

std::string cpp_header(const ExportedModel& model) {
  const ModelDescription& d = model.description();
  check_size(d);
  const bool is_double = d.precision == Precision::f64;
  const std::vector<std::string> names = model.input_names();
  std::string text = fmt::format(
      "// A network that {} trained. C++11, without dependencies; see predict() at the end.\n\n"
      "#ifndef DNN_MODEL_HPP\n#define DNN_MODEL_HPP\n\n#include <cmath>\n\n"
      "namespace dnn_model {{\n\ntypedef {} number;\ntypedef {} output_number;\n\n"
      "static const int input_count = {};\nstatic const int output_count = {};\n\n",
      literal(d.program), is_double ? "double" : "float",
      is_double || d.task == Task::numbers ? "double" : "float", d.widths.front(), d.widths.back());
  text += fmt::format("static const number clip = {:.17g};  // of a scaled input; 0: none\n\n",
                      d.normalizer.clip);
  put_names(text, "output_names", d.class_names);
  if (!names.empty()) {
    put_names(text, "input_names", names);
  }
  const std::vector<double> fills = fills_of(d.schema);
  put_fills_and_thresholds(text, fills, d);
  for (const ExportedTensor& tensor : model.tensors()) {
    if (tensor.type == Precision::f64) {
      put_numbers<double>(text, tensor.name.front() >= 'a' ? "double" : "number", tensor.name,
                          tensor.bytes);
    } else {
      put_numbers<float>(text, "number", tensor.name, tensor.bytes);
    }
  }
  const std::uint64_t widest = *std::max_element(d.widths.begin(), d.widths.end() - 1);
  const bool is_ranked = d.task != Task::labels && d.task != Task::numbers;
  text +=
      fmt::format(functions, meaning_of(d.task),
                  names.empty() ? ""
                                : ", in the order of input_names\n/// (\"a = b\": 1 where a is b, "
                                  "else 0; \"a is missing\": 1 where a has no value)",
                  fills.empty() ? "" : "; without a value, see input_fill",
                  d.label_thresholds.empty() ? "" : "; see label_thresholds",
                  is_ranked ? "int" : "void", widest,
                  (d.widths.size() > 2 ? fmt::format("  number odd[{}];\n", widest) : "") +
                      (d.task == Task::numbers ? "  number last[output_count];\n" : ""));
  for (std::size_t n = 1; n < d.widths.size(); ++n) {
    put_layer(text, n, d);
  }
  text += end_of(d.task) + "}\n\n}  // namespace dnn_model\n\n#endif\n";
  return text;
}

}  // namespace dnn
