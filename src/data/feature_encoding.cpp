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

void FeatureEncoding::encode_category(const Column& column, double value, bool missing,
                                      double* inputs) {
  std::fill_n(inputs, column.inputs, 0.0);
  std::size_t hot = column.inputs;  // a value that the schema does not know: no input is 1
  if (missing) {
    hot = column.marks_missing ? column.inputs - 1 : column.inputs;
  } else if (value >= 0 && value < static_cast<double>(column.categories)) {
    hot = static_cast<std::size_t>(value);
  } else if (column.has_other) {
    hot = column.categories;
  }
  if (hot < column.inputs) {
    inputs[hot] = 1;
  }
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

template <class Raw>
void FeatureEncoding::encode(const Raw* raw, std::span<double> inputs) const {
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    const Column& column = columns_[j];
    const auto value = static_cast<double>(raw[j]);
    const bool missing = std::is_floating_point_v<Raw> && std::isnan(value);
    double* out = inputs.data() + column.first;
    if (column.kind == ColumnKind::category) {
      encode_category(column, value, missing, out);
      continue;
    }
    if (column.kind == ColumnKind::date) {
      encode_date(column, value, missing, out);
    } else {
      *out = missing ? column.fill : value;
    }
    if (column.marks_missing) {
      out[column.inputs - 1] = missing ? 1 : 0;
    }
  }
}

template void FeatureEncoding::encode(const float*, std::span<double>) const;
template void FeatureEncoding::encode(const double*, std::span<double>) const;
template void FeatureEncoding::encode(const std::uint8_t*, std::span<double>) const;
template void FeatureEncoding::encode(const std::int8_t*, std::span<double>) const;
template void FeatureEncoding::encode(const std::uint16_t*, std::span<double>) const;
template void FeatureEncoding::encode(const std::int16_t*, std::span<double>) const;
template void FeatureEncoding::encode(const std::uint32_t*, std::span<double>) const;
template void FeatureEncoding::encode(const std::int32_t*, std::span<double>) const;
template void FeatureEncoding::encode(const std::uint64_t*, std::span<double>) const;
template void FeatureEncoding::encode(const std::int64_t*, std::span<double>) const;

}  // namespace dnn
