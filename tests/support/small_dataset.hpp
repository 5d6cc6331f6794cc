#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/data/label_table.hpp"

namespace dnn::test {

/// The data set of lines of numbers and a label, separated by commas, as `t.csv`. T: the type of
/// the features. Without `labelled`, all columns are features.
template <class T>
Dataset small_dataset(const std::string& text, bool labelled = true) {
  Dataset data;
  data.origin = "t.csv";
  data.element = sizeof(T) == sizeof(double) ? ElementType::f64 : ElementType::f32;
  std::vector<T> values;
  LabelTable labels;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line); ++data.samples) {
    std::istringstream cells(line);
    std::vector<std::string> fields;
    for (std::string cell; std::getline(cells, cell, ',');) {
      fields.push_back(cell);
    }
    if (labelled) {
      labels.add(std::string_view(fields.back()));
      fields.pop_back();
    }
    data.features = fields.size();
    for (const std::string& field : fields) {
      values.push_back(static_cast<T>(std::stod(field)));
    }
  }
  data.row_elements = data.features;
  data.values = Bytes::from(std::move(values));
  if (labelled) {
    labels.finish(data);
  }
  return data;
}

}  // namespace dnn::test
