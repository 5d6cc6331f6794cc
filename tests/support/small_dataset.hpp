#pragma once

#include <algorithm>
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

/// The sparse data set of lines "label index:value ...", with indices from 1 that ascend.
inline Dataset small_sparse_dataset(const std::string& text) {
  Dataset data;
  data.origin = "t.svm";
  data.index_base = 1;
  std::vector<float> values;
  std::vector<std::uint32_t> columns;
  std::vector<std::uint64_t> offsets = {0};
  LabelTable labels;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line); ++data.samples) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    labels.add(std::string_view(word));
    while (words >> word) {
      const std::size_t colon = word.find(':');
      columns.push_back(static_cast<std::uint32_t>(std::stoul(word.substr(0, colon)) - 1));
      values.push_back(std::stof(word.substr(colon + 1)));
      data.features = std::max<std::size_t>(data.features, columns.back() + 1);
    }
    offsets.push_back(columns.size());
  }
  data.values = Bytes::from(std::move(values));
  data.value_columns = Bytes::from(std::move(columns));
  data.row_offsets = Bytes::from(std::move(offsets));
  labels.finish(data);
  return data;
}

}  // namespace dnn::test
