#include "dnn/model/evaluation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace dnn {
namespace {

TEST(Evaluation, ComesBackFromJson) {
  const Evaluation classes{0.1, 0.975, 42, 1, {{"auc", 0.1 + 0.2}, {"ece", 1e-300}}};
  const Evaluation numbers{0.5, -1, 7, -1, {{"rmse(price)", 12.5}}};
  for (const Evaluation& evaluation : {classes, numbers}) {
    const auto back =
        Evaluation::from_json(nlohmann::ordered_json::parse(evaluation.to_json().dump()));
    EXPECT_EQ(back.loss, evaluation.loss);
    EXPECT_EQ(back.accuracy, evaluation.accuracy);
    EXPECT_EQ(back.samples, evaluation.samples);
    EXPECT_EQ(back.top5_accuracy, evaluation.top5_accuracy);
    EXPECT_EQ(back.figures, evaluation.figures);
  }
  EXPECT_FALSE(numbers.to_json().contains("accuracy"));
}

TEST(Evaluation, KeepsWhatIsNoNumberInJson) {
  const Evaluation bad{std::numeric_limits<double>::quiet_NaN(), 0, 3};
  const auto back = Evaluation::from_json(nlohmann::ordered_json::parse(bad.to_json().dump()));
  EXPECT_TRUE(std::isnan(back.loss));
}

TEST(Evaluation, HugeLossesFitOnALine) {
  EXPECT_EQ(loss_text(0.12345), "0.1235");
  EXPECT_EQ(loss_text(999999.5), "999999.5000");
  EXPECT_EQ(loss_text(4.3254e35), "4.325e+35");
  EXPECT_EQ((Evaluation{1e300, -1, 3, -1, {}}).in_words(), "loss 1e+300");
}

TEST(Evaluation, ThatIsNoneIsRefused) {
  EXPECT_THROW((void)Evaluation::from_json({{"loss", "small"}}), nlohmann::json::exception);
}

}  // namespace
}  // namespace dnn
