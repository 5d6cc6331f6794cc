#include "dnn/predict/answers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "dnn/data/dataset.hpp"

namespace dnn {
namespace {

/// The cell `labels` of a sample that has all labels of `data`.
std::string cell_of_all(const Dataset& data) {
  const auto answers = make_answers<double>(data, 0);
  std::array<double, 2> row = {5, 5};
  LossSums unused;
  std::string text;
  answers->append(0, answers->predict(0, row, unused), row, text);
  return text.substr(1, text.find(',', 1) - 1);
}

TEST(LabelAnswers, StandApartAsInTheTrainingData) {
  Dataset data;
  data.task = Task::labels;
  data.samples = 1;
  data.class_names = {"a;b", "c"};
  data.schema.columns.resize(2);
  EXPECT_EQ(cell_of_all(data), "a;b;c");  // a column for each label
  data.schema.columns[1].separator = "|";
  EXPECT_EQ(cell_of_all(data), "a;b|c");
}

}  // namespace
}  // namespace dnn
