#include "dnn/readers/npy_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/data/target_rows.hpp"

namespace dnn {

namespace {

[[noreturn]] void refuse(const NpyArray& array, const std::string& what) {
  throw InputError(fmt::format("{}: {}", array.origin, what));
}

bool is_vector(const NpyArray& array) {
  return std::count_if(array.shape.begin(), array.shape.end(),
                       [](std::size_t extent) { return extent != 1; }) <= 1;
}

/// The column of the one 1 in row `sample`.
template <class T>
std::int64_t hot_column(const NpyArray& array, std::size_t sample) {
  const std::size_t columns = array.shape[1];
  const auto row = array.elements.as<T>().subspan(sample * columns, columns);
  const auto hot = std::find(row.begin(), row.end(), T{1});
  const auto zeros = std::count(row.begin(), row.end(), T{0});
  if (hot == row.end() || static_cast<std::size_t>(zeros) + 1 != columns) {
    refuse(array, fmt::format("the label of sample {} is a vector, but not one-hot: it needs one 1 "
                              "among zeros (--task labels, numbers or distribution learns other "
                              "vectors)",
                              sample + 1));
  }
  return hot - row.begin();
}

void add_one_hot(const NpyArray& array, LabelTable& labels) {
  if (array.text != NpyArray::Text::none) {
    refuse(array, fmt::format("labels as text need one dimension, this array has {} columns",
                              array.shape[1]));
  }
  visit_element(array.type, [&](auto element) {
    for (std::size_t i = 0; i < array.shape[0]; ++i) {
      labels.add(hot_column<decltype(element)>(array, i));
    }
  });
}

}  // namespace

void add_label(const NpyArray& array, std::size_t index, LabelTable& labels) {
  if (array.text != NpyArray::Text::none) {
    labels.add(array.text_at(index));
    return;
  }
  visit_element(array.type, [&](auto element) {
    using T = decltype(element);
    const T value = array.elements.as<T>()[index];
    constexpr std::int64_t too_large = std::int64_t{1} << 53;  // for a double to be exact
    if constexpr (std::is_integral_v<T>) {
      if (std::cmp_greater_equal(value, too_large) || std::cmp_less_equal(value, -too_large)) {
        refuse(array, fmt::format("label {} (element {}) is too large a number for a class", value,
                                  index + 1));
      }
    } else {
      if (!(std::abs(value) < T(too_large)) || value != std::floor(value)) {
        refuse(array,
               fmt::format("label {} (element {}) is not a class: labels are integers (--task "
                           "numbers learns numbers). Is --label-column right? Labels of a file of "
                           "their own are named as features.npy,labels.npy",
                           value, index + 1));
      }
    }
    labels.add(static_cast<std::int64_t>(value));
  });
}

void set_target_array(const NpyArray& array, Dataset& data) {
  const std::size_t outputs =
      data.samples > 0 && array.count() % data.samples == 0 ? array.count() / data.samples : 0;
  if (array.text != NpyArray::Text::none || outputs == 0 ||
      (outputs != 1 && array.shape[0] != data.samples)) {
    refuse(array, fmt::format("--task {} needs an array of numbers with a row for each of the {} "
                              "samples of {}",
                              word_for(data.task), data.samples, data.origin));
  }
  std::vector<double> rows;
  rows.reserve(array.count());
  visit_element(array.type, [&](auto element) {
    for (const auto value : array.elements.as<decltype(element)>()) {
      rows.push_back(static_cast<double>(value));
    }
  });
  data.class_names = unnamed_targets(outputs);
  set_targets(data, std::move(rows));
}

void set_target_column(const NpyArray& array, std::size_t column, Dataset& data) {
  std::vector<double> rows;
  rows.reserve(data.samples);
  visit_element(array.type, [&](auto element) {
    const auto all = array.elements.as<decltype(element)>();
    for (std::size_t i = 0; i < data.samples; ++i) {
      rows.push_back(static_cast<double>(all[i * data.row_elements + column]));
    }
  });
  data.class_names = unnamed_targets(1);
  set_targets(data, std::move(rows));
}

void set_labels(const NpyArray& array, Dataset& data) {
  LabelTable labels;
  const bool is_table = array.shape.size() == 2 && array.shape[1] != 1;
  if (is_table && array.shape[0] == data.samples) {
    add_one_hot(array, labels);
  } else {
    const std::size_t count = array.count();
    if (count != data.samples || !is_vector(array)) {
      refuse(array, fmt::format("{} labels{}, but {} has {} samples", count,
                                is_vector(array) ? "" : " in several dimensions", data.origin,
                                data.samples));
    }
    for (std::size_t i = 0; i < count; ++i) {
      add_label(array, i, labels);
    }
  }
  labels.finish(data);
}

}  // namespace dnn
