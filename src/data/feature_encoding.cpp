#include "dnn/data/feature_encoding.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "dnn/data/calendar.hpp"

namespace dnn {

namespace {

/// Writes sine and cosine of a part of a cycle, so that its end lies beside its beginning.
double* put_cycle(double* inputs, double part) {
  const double angle = 2 * std::numbers::pi * part;
  inputs[0] = std::sin(angle);
  inputs[1] = std::cos(angle);
  return inputs + 2;
}

}  // namespace

FeatureEncoding::FeatureEncoding(const TableSchema& schema) {
  for (const TableColumn& column : schema.columns) {
    if (!column.is_feature()) {
      continue;
    }
    columns_.push_back({.kind = column.kind,
                        .marks_missing = column.marks_missing,
                        .has_other = column.has_other,
                        .hour = column.hour,
                        .weekday = column.weekday,
                        .month = column.month,
                        .categories = column.categories.size(),
                        .fill = column.fill,
                        .first = inputs_,
                        .inputs = column.inputs()});
    inputs_ += column.inputs();
    most_stored_ += column.kind == ColumnKind::category ? 1 : column.inputs();
    identity_ = identity_ && column.kind == ColumnKind::number && !column.marks_missing;
  }
}

std::vector<bool> FeatureEncoding::scaled_inputs() const {
  std::vector<bool> scaled(inputs_, false);
  for (const Column& column : columns_) {
    if (column.kind != ColumnKind::category && column.inputs > 0) {
      scaled[column.first] = true;
    }
  }
  return scaled;
}

std::size_t FeatureEncoding::hot_input(const Column& column, double value, bool missing) {
  if (missing) {
    return column.marks_missing ? column.inputs - 1 : column.inputs;
  }
  if (value >= 0 && value < static_cast<double>(column.categories)) {
    return static_cast<std::size_t>(value);
  }
  return column.has_other ? column.categories : column.inputs;
}

void FeatureEncoding::encode_date(const Column& column, double value, bool missing,
                                  double* inputs) {
  *inputs++ = missing ? column.fill : value;
  if (missing) {
    std::fill_n(inputs, column.inputs - 1, 0.0);  // no place in any cycle
    return;
  }
  if (column.hour) {
    inputs = put_cycle(inputs, part_of_day(value));
  }
  if (column.weekday) {
    inputs = put_cycle(inputs, weekday_of(value) / 7.0);
  }
  if (column.month) {
    put_cycle(inputs, month_of(value) / 12.0);
  }
}

void FeatureEncoding::encode_numbers(const Column& column, double value, bool missing,
                                     double* inputs) {
  if (column.kind == ColumnKind::date) {
    encode_date(column, value, missing, inputs);
  } else {
    *inputs = missing ? column.fill : value;
  }
  if (column.marks_missing) {
    inputs[column.inputs - 1] = missing ? 1 : 0;
  }
}

template <class Raw>
void FeatureEncoding::encode(const Raw* raw, std::span<double> inputs) const {
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    const Column& column = columns_[j];
    const auto value = static_cast<double>(raw[j]);
    const bool missing = std::is_floating_point_v<Raw> && std::isnan(value);
    double* out = inputs.data() + column.first;
    if (column.kind != ColumnKind::category) {
      encode_numbers(column, value, missing, out);
      continue;
    }
    std::fill_n(out, column.inputs, 0.0);
    if (const std::size_t hot = hot_input(column, value, missing); hot < column.inputs) {
      out[hot] = 1;
    }
  }
}

template <class Raw>
void FeatureEncoding::encode_sparse(const Raw* raw, std::vector<std::uint32_t>& places,
                                    std::vector<double>& inputs) const {
  places.clear();
  inputs.clear();
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    const Column& column = columns_[j];
    const auto value = static_cast<double>(raw[j]);
    const bool missing = std::is_floating_point_v<Raw> && std::isnan(value);
    if (column.kind == ColumnKind::category) {
      if (const std::size_t hot = hot_input(column, value, missing); hot < column.inputs) {
        places.push_back(static_cast<std::uint32_t>(column.first + hot));
        inputs.push_back(1);
      }
      continue;
    }
    for (std::size_t i = 0; i < column.inputs; ++i) {
      places.push_back(static_cast<std::uint32_t>(column.first + i));
    }
    inputs.resize(inputs.size() + column.inputs);
    encode_numbers(column, value, missing, inputs.data() + inputs.size() - column.inputs);
  }
}

#define DNN_INSTANTIATE(Raw)                                                            \
  template void FeatureEncoding::encode(const Raw*, std::span<double>) const;           \
  template void FeatureEncoding::encode_sparse(const Raw*, std::vector<std::uint32_t>&, \
                                               std::vector<double>&) const;
DNN_INSTANTIATE(float)
DNN_INSTANTIATE(double)
DNN_INSTANTIATE(std::uint8_t)
DNN_INSTANTIATE(std::int8_t)
DNN_INSTANTIATE(std::uint16_t)
DNN_INSTANTIATE(std::int16_t)
DNN_INSTANTIATE(std::uint32_t)
DNN_INSTANTIATE(std::int32_t)
DNN_INSTANTIATE(std::uint64_t)
DNN_INSTANTIATE(std::int64_t)
#undef DNN_INSTANTIATE

}  // namespace dnn
