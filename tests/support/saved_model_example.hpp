#pragma once

#include <string>
#include <vector>

#include "dnn/model/model_file.hpp"
#include "support/test_numbers.hpp"

namespace dnn::test {

/// A small model with every field of a description in use.
struct SavedModelExample {
  ParameterLayout layout{{3, 5, 2}};
  std::vector<float> values = std::vector<float>(layout.size(), 0.0F);
  ModelDescription description;

  SavedModelExample() {
    const auto given = numbers<float>(layout.size(), 1);
    for (const LayerLayout& layer : layout.layers()) {
      for (const Range range : {layer.weights, layer.bias}) {
        for (std::size_t i = range.begin; i < range.end; ++i) {
          values[i] = given[i];
        }
      }
    }
    description.widths = {3, 5, 2};
    description.class_names = {"with \"quotes\", commas\nand lines", ""};
    description.feature_names = {"a", "b", "c"};
    description.index_base = 1;
    description.normalizer = {{0.1, 1e300, -2}, {1, 1e-300, 0}, 2.5};
    description.configuration = "epochs = 3\n";
    description.epoch = 2;
    description.validation_loss = 0.1;
    description.validation_accuracy = 2.0 / 3;
    description.validation_samples = 30;
    description.program = "test";
    description.environment = "{\"cpu\":\"one\"}";
  }
  void save(const std::string& path) const {
    save_model(path, description, packed_parameters<float>(layout, values));
  }
};

}  // namespace dnn::test
