#include "dnn/model/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <boost/archive/archive_exception.hpp>
#include <boost/archive/text_oarchive.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "dnn/core/classic_text.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/sha256.hpp"
#include "dnn/data/table_schema_json.hpp"
#include "dnn/model/container.hpp"
#include "dnn/model/description_archive.hpp"

namespace boost::serialization {

template <class Archive>
void serialize(Archive& archive, dnn::Normalizer& normalizer, unsigned /*version*/) {
  archive& normalizer.center& normalizer.scale;
}

template <class Archive>
void archive_figures(Archive& archive, std::vector<dnn::Figure>& figures) {
  std::vector<std::string> names;
  std::vector<double> values;
  for (const dnn::Figure& figure : figures) {
    names.push_back(figure.name);
    values.push_back(figure.value);
  }
  archive& names& values;
  figures.clear();
  for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i) {
    figures.push_back({names[i], values[i]});
  }
}

template <class Archive>
void serialize(Archive& archive, dnn::ModelDescription& d, unsigned version) {
  archive& d.widths& d.precision& d.class_names& d.feature_names& d.index_base& d.normalizer;
  archive& d.configuration& d.epoch& d.validation_loss& d.validation_accuracy;
  archive& d.validation_samples& d.program;
  if (version > 0) {
    archive& d.environment;
  }
  if (version > 2) {
    archive& d.normalizer.clip;
  }
  if (version > 1) {
    std::string schema = Archive::is_saving::value ? dnn::to_text(d.schema) : std::string();
    archive& schema;
    if (Archive::is_loading::value) {
      d.schema = dnn::schema_from_text(schema, "the model");
    }
  }
  if (version > 2) {
    archive& d.task& d.target_scale;
    archive_figures(archive, d.validation_figures);
  }
  if (version > 3) {
    archive& d.label_thresholds;
  }
}

}  // namespace boost::serialization

BOOST_CLASS_VERSION(dnn::ModelDescription, 4)

namespace dnn {

namespace {

/// Calls `visit(range)` for each W and B of the layout, in order.
template <class Visitor>
void for_each_tensor(const ParameterLayout& layout, Visitor&& visit) {
  for (const LayerLayout& layer : layout.layers()) {
    visit(layer.weights);
    visit(layer.bias);
  }
}

/// A text archive reads no figure back that is not finite: this number stands for it.
constexpr double not_finite = std::numeric_limits<double>::max();

/// Each figure of the validation becomes what `change` makes of it.
template <class Change>
void change_figures(ModelDescription& description, Change&& change) {
  description.validation_loss = change(description.validation_loss);
  description.validation_accuracy = change(description.validation_accuracy);
  for (Figure& figure : description.validation_figures) {
    figure.value = change(figure.value);
  }
}

ModelDescription parse_description(const std::string& text, const std::string& path) {
  try {
    ClassicInput stream(text);
    DescriptionArchive archive(stream);
    ModelDescription description;
    archive >> description;
    archive.expect_end();
    change_figures(description, [](double figure) {
      return figure == not_finite ? std::numeric_limits<double>::quiet_NaN() : figure;
    });
    return description;
  } catch (const std::exception& error) {
    throw InputError(
        fmt::format("{}: the model's description cannot be read ({}); it was written with a newer "
                    "Boost.Serialization or another program",
                    path, error.what()));
  }
}

void check_consistent(const SavedModel& model, const std::string& path) {
  const ModelDescription& d = model.description;
  const auto require = [&path](bool holds, const std::string& what) {
    if (!holds) {
      throw InputError(fmt::format("{}: the model contradicts itself: {}", path, what));
    }
  };
  require(d.widths.size() >= 2, "it has no layers");
  require(d.precision == Precision::f32 || d.precision == Precision::f64, "unknown precision");
  require(d.class_names.size() == d.widths.back(), "number of class names");
  require(d.feature_names.empty() || d.feature_names.size() == d.widths.front(),
          "number of feature names");
  require(d.normalizer.center.size() == d.normalizer.scale.size() &&
              (d.normalizer.is_identity() || d.normalizer.center.size() == d.widths.front()),
          "size of the normalization");
  require(d.task >= Task::classes && d.task <= Task::distribution, "unknown task");
  require(d.target_scale.center.size() == d.target_scale.scale.size() &&
              (d.target_scale.is_identity() || d.target_scale.center.size() == d.widths.back()),
          "size of the targets' scale");
  require(d.label_thresholds.empty() ||
              (d.task == Task::labels && d.label_thresholds.size() == d.widths.back() &&
               std::all_of(d.label_thresholds.begin(), d.label_thresholds.end(),
                           [](double t) { return t >= 0 && t <= 1; })),
          "thresholds of the labels");
  require(std::isfinite(d.normalizer.clip) && d.normalizer.clip >= 0 &&
              (d.normalizer.clip == 0 || !d.normalizer.is_identity()),
          "clip of the normalization");
  require(d.schema.empty() || d.schema.inputs() == d.widths.front(),
          "number of the table's inputs");
  const std::size_t bytes = packed_bytes(d.widths, d.precision, path + ": the model");
  require(bytes == model.parameters.size(), "number of parameters");
}

}  // namespace

std::string parameters_sha256(std::span<const std::byte> packed) {
  return to_hex(sha256(packed));
}

std::size_t packed_bytes(const std::vector<std::uint64_t>& widths, Precision precision,
                         const std::string& origin) {
  std::size_t bytes = 0;
  const std::size_t element = precision == Precision::f64 ? sizeof(double) : sizeof(float);
  for (std::size_t n = 1; n < widths.size(); ++n) {
    std::size_t layer = 0;
    if (widths[n - 1] == 0 || widths[n] == 0 ||
        __builtin_add_overflow(widths[n - 1], std::size_t{1}, &layer) ||
        __builtin_mul_overflow(layer, widths[n], &layer) ||
        __builtin_mul_overflow(layer, element, &layer) ||
        __builtin_add_overflow(bytes, layer, &bytes)) {
      throw InputError(origin + " contradicts itself: layer widths");
    }
  }
  return bytes;
}

template <class T>
void unpack_parameters(const ParameterLayout& layout, std::span<const std::byte> packed,
                       std::span<T> values) {
  const std::byte* next = packed.data();
  for_each_tensor(layout, [&](Range range) {
    copy_bytes(values.data() + range.begin, next, range.size() * sizeof(T));
    next += range.size() * sizeof(T);
  });
}

template void unpack_parameters(const ParameterLayout&, std::span<const std::byte>,
                                std::span<float>);
template void unpack_parameters(const ParameterLayout&, std::span<const std::byte>,
                                std::span<double>);

template <class T>
void SavedModel::copy_to(const ParameterLayout& layout, std::span<T> values) const {
  unpack_parameters(layout, std::span(parameters), values);
}

template void SavedModel::copy_to(const ParameterLayout&, std::span<float>) const;
template void SavedModel::copy_to(const ParameterLayout&, std::span<double>) const;

template <class T>
std::vector<std::byte> packed_parameters(const ParameterLayout& layout, std::span<const T> values) {
  std::vector<std::byte> packed(layout.parameter_count() * sizeof(T));
  std::byte* next = packed.data();
  for_each_tensor(layout, [&](Range range) {
    copy_bytes(next, values.data() + range.begin, range.size() * sizeof(T));
    next += range.size() * sizeof(T);
  });
  return packed;
}

template std::vector<std::byte> packed_parameters(const ParameterLayout&, std::span<const float>);
template std::vector<std::byte> packed_parameters(const ParameterLayout&, std::span<const double>);

std::string describe_model(const ModelDescription& description) {
  ModelDescription written = description;
  change_figures(written,
                 [](double figure) { return std::isfinite(figure) ? figure : not_finite; });
  ClassicOutput stream;
  {
    boost::archive::text_oarchive archive(stream);
    archive << std::as_const(written);
  }
  return stream.str();
}

SavedModel parse_model(const std::string& text, std::vector<std::byte> parameters,
                       const std::string& origin) {
  SavedModel model{parse_description(text, origin), std::move(parameters)};
  check_consistent(model, origin);
  return model;
}

void save_model(const std::string& path, const ModelDescription& description,
                std::span<const std::byte> parameters) {
  write_container(path, Container::model, describe_model(description), {parameters});
}

SavedModel load_model(const std::string& path) {
  Container container = read_container(path, Container::model);
  return parse_model(container.description, std::move(container.parameters), path);
}

}  // namespace dnn
