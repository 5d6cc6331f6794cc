#include "dnn/train/cross_validation.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace dnn {
namespace {

TEST(CrossValidation, FiguresAreSpreadOverTheFoldsThatHaveThem) {
  const std::vector<FoldResult> folds = {
      {10, {0.2, 0.5, 4, 0.9, {{"ece", 0.1}, {"auc", 0.8}}}},
      {12, {0.4, 0.7, 3, 1, {{"ece", 0.3}}}},
  };
  const auto spread = spread_of(folds);
  ASSERT_EQ(spread.size(), 5U);
  EXPECT_EQ(spread[0].name, "loss");
  EXPECT_DOUBLE_EQ(spread[0].over_folds.mean, 0.3);
  EXPECT_DOUBLE_EQ(spread[0].over_folds.deviation, 0.1);
  EXPECT_EQ(spread[1].name, "accuracy");
  EXPECT_DOUBLE_EQ(spread[1].over_folds.mean, 0.6);
  EXPECT_EQ(spread[2].name, "top5_accuracy");
  EXPECT_EQ(spread[3].name, "ece");
  EXPECT_EQ(spread[4].name, "auc");
  EXPECT_EQ(spread[4].over_folds.mean, 0.8);
  EXPECT_EQ(spread[4].over_folds.deviation, 0);
}

TEST(CrossValidation, AResultComesBackFromJson) {
  const FoldResult fold{17, {0.2, -1, 5, -1, {{"r2", 0.9}, {"rmse", 3}}}};
  const auto back = FoldResult::from_json(nlohmann::ordered_json::parse(fold.to_json().dump()));
  EXPECT_EQ(back.epochs, 17U);
  EXPECT_EQ(back.evaluation.figures, fold.evaluation.figures);
  EXPECT_EQ(back.evaluation.accuracy, -1);
  EXPECT_EQ(back.evaluation.samples, 5U);
}

TEST(CrossValidation, AsManyFoldsAsRanksGoSideBySide) {
  EXPECT_EQ(folds_at_a_time(5, 3, true), 3U);
  EXPECT_EQ(folds_at_a_time(2, 3, true), 2U);
  EXPECT_EQ(folds_at_a_time(5, 1, true), 1U);
  EXPECT_EQ(folds_at_a_time(5, 3, false), 1U);
}

}  // namespace
}  // namespace dnn
