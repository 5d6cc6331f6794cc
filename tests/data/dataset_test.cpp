#include "dnn/data/dataset.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/small_dataset.hpp"

namespace dnn {
namespace {

using test::expect_error;

Dataset table(const std::string& text) {
  return test::small_dataset<float>(text);
}

TEST(Dataset, WhatCannotBeTrainedOn) {
  expect_error<InputError>([] { check_trainable(table("a\nb\n")); }, {"t.csv", "zero features"});
  expect_error<InputError>([] { check_trainable(table("1,a\n2,a\n")); },
                           {"t.csv", "one class only", "'a'"});
  expect_error<InputError>([] { check_trainable(test::small_dataset<float>("1,2\n", false)); },
                           {"t.csv", "no labels"});
  expect_error<InputError>([] { check_trainable(table("")); }, {"t.csv", "no samples"});
  check_trainable(table("1,a\n2,b\n"));
}

TEST(Dataset, AnotherWidthOrOrderOfFeatures) {
  Dataset data = table("1,2,a\n");
  data.feature_names = {"w", "h"};
  check_features(data, 2, {"w", "h"}, "the model");
  check_features(data, 2, {}, "the model");
  expect_error<InputError>([&] { check_features(data, 3, {}, "the training data"); },
                           {"t.csv", "2 features", "the training data has 3"});
  expect_error<InputError>(
      [&] {
        check_features(data, 2, {"h", "w"}, "the model");
      },
      {"feature 1", "'w'", "'h'", "same order"});
}

TEST(Dataset, ASchemaOfTextNeedsATable) {
  TableSchema schema;
  schema.columns = {{.name = "c", .kind = ColumnKind::category, .categories = {"u", "v"}}};
  const Dataset array = table("1,2,a\n");
  expect_error<InputError>([&] { check_encodable(array, schema, "the model"); },
                           {"t.csv", "the model", "no table"});
  check_encodable(array, {}, "the model");
  schema.columns = {{.name = "x"}, {.name = "y"}};
  check_encodable(array, schema, "the model");
}

TEST(Dataset, LabelsAreRenumberedToTheTrainingsClasses) {
  Dataset data = table("1,b\n2,c\n3,b\n");
  use_classes(data, {"a", "b", "c"}, "the training data", "do this");
  EXPECT_EQ(std::vector<std::int32_t>(data.label_view().begin(), data.label_view().end()),
            (std::vector<std::int32_t>{1, 2, 1}));
  Dataset unknown = table("1,b\n2,x\n");
  expect_error<InputError>(
      [&] {
        use_classes(unknown, {"a", "b", "c"}, "the training data", "do this");
      },
      {"t.csv", "unknown label 'x'", "sample 2", "3 classes", "; do this"});
}

}  // namespace
}  // namespace dnn
