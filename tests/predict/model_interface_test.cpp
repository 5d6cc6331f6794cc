#include "dnn/predict/model_interface.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using test::expect_error;

const std::vector<std::string> paths = {"first.dnn", "second.dnn", "third.dnn"};

ModelInterface model() {
  return {.features = 2, .class_names = {"red", "green", "blue"}};
}

TEST(ModelInterface, JoinsWhatEachModelKnows) {
  std::vector<ModelInterface> parts(3, model());
  parts[1].feature_names = {"x", "y"};
  parts[1].class_names = {"blue", "red", "green"};
  parts[2].index_base = 1;
  parts[2].precision = Precision::f64;
  const ModelInterface joined = ModelInterface::join(paths, parts);
  EXPECT_EQ(joined.class_names, parts[0].class_names);
  EXPECT_EQ(joined.feature_names, parts[1].feature_names);
  EXPECT_EQ(joined.index_base, 1);
  EXPECT_EQ(joined.precision, Precision::f64);
}

TEST(ModelInterface, MapsClassesByName) {
  ModelDescription other;
  other.class_names = {"blue", "red", "green"};
  EXPECT_EQ(model().classes_in(other), (std::vector<std::int32_t>{1, 2, 0}));
  other.class_names = model().class_names;
  EXPECT_TRUE(model().classes_in(other).empty());
}

TEST(ModelInterface, RefusesOtherClassesByName) {
  std::vector<ModelInterface> parts(3, model());
  parts[2].class_names[1] = "grey";
  expect_error<InputError>([&] { (void)ModelInterface::join(paths, parts); },
                           {"'grey'", "third.dnn", "first.dnn"});
  parts[2] = model();
  parts[1].class_names.pop_back();
  expect_error<InputError>(
      [&] { (void)ModelInterface::join(paths, parts); },
      {"different classes: 'blue' is a class of first.dnn, but not of second.dnn"});
  for (ModelInterface& part : parts) {
    part.task = Task::labels;
  }
  expect_error<InputError>([&] { (void)ModelInterface::join(paths, parts); },
                           {"different labels: 'blue' is a label of first.dnn"});
}

TEST(ModelInterface, RefusesOtherFeatures) {
  std::vector<ModelInterface> parts(3, model());
  parts[1].features = 4;
  expect_error<InputError>([&] { (void)ModelInterface::join(paths, parts); },
                           {"second.dnn takes 4 features a sample, first.dnn 2"});
  parts[1] = model();
  parts[1].feature_names = {"x", "y"};
  parts[2].feature_names = {"x", "z"};
  expect_error<InputError>([&] { (void)ModelInterface::join(paths, parts); },
                           {"feature 2 is 'z' in third.dnn", "'y' in second.dnn"});
  parts.assign(3, model());
  parts[1].index_base = 0;
  parts[2].index_base = 1;
  expect_error<InputError>([&] { (void)ModelInterface::join(paths, parts); },
                           {"third.dnn counts LIBSVM features from 1, second.dnn from 0"});
}

}  // namespace
}  // namespace dnn
