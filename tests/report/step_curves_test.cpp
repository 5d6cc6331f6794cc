#include "dnn/report/step_curves.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using StepJson = nlohmann::ordered_json;
using test::expect_error;

StepJson curves_of(const std::string& text) {
  const test::TemporaryFolder folder;
  return step_curves(folder.write("steps.jsonl", text));
}

TEST(StepCurves, AreOneArrayForEachValue) {
  const StepJson curves = curves_of(
      "{\"update\": 10, \"epoch\": 1, \"loss\": 1.23456789, \"seconds\": {\"load\": 0.5}}\n"
      "{\"update\": 20, \"epoch\": 1, \"gradient_norm\": 3, \"seconds\": {\"compute\": 0.25}}\n"
      "{\"update\": 30, \"epo");
  EXPECT_EQ(curves["count"], 2);
  EXPECT_EQ(curves["update"], StepJson::array({10, 20}));
  EXPECT_EQ(curves["loss"], StepJson::array({1.23457, nullptr}));
  EXPECT_EQ(curves["gradient_norm"], StepJson::array({nullptr, 3}));
  EXPECT_EQ(curves["seconds"]["load"], StepJson::array({0.5, nullptr}));
  EXPECT_EQ(curves["seconds"]["compute"], StepJson::array({nullptr, 0.25}));
}

TEST(StepCurves, OfARunThatWentBackTheLaterLinesCount) {
  std::string text;
  for (const int update : {10, 20, 30, 20, 30, 40}) {
    text += StepJson{{"update", update}, {"loss", text.size()}}.dump() + "\n";
  }
  const StepJson curves = curves_of(text);
  EXPECT_EQ(curves["update"], StepJson::array({10, 20, 30, 40}));
  EXPECT_GT(curves["loss"][1], curves["loss"][0].get<int>() + 40);  // not the line right behind it
}

TEST(StepCurves, OfManyLinesAreThinned) {
  std::string text;
  for (int update = 1; update <= 7001; ++update) {
    text += StepJson{{"update", update}}.dump() + "\n";
  }
  const StepJson curves = curves_of(text);
  EXPECT_EQ(curves["count"], 7001);
  EXPECT_EQ(curves["update"].size(), 1751U);
  EXPECT_EQ(curves["update"].back(), 7001);
}

TEST(StepCurves, WithoutLinesThereAreNone) {
  EXPECT_TRUE(curves_of("").is_null());
  EXPECT_TRUE(step_curves("/nowhere/steps.jsonl").is_null());
  expect_error<InputError>([] { (void)curves_of("{\"update\": 1}\n[2]\n"); },
                           {"/steps.jsonl: line 2"});
}

}  // namespace
}  // namespace dnn
