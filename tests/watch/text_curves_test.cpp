#include "dnn/watch/text_curves.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_lines.hpp"

namespace dnn {
namespace {

using test::lines_of;
using test::TemporaryFolder;

TEST(DrawCurve, ALineFromCornerToCornerInAscii) {
  const auto lines = lines_of(draw_curve("loss", "epoch", {{1, 4}, {4, 1}}, {24, 4, false}));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0], "loss: last 1");  // the axis says the rest
  EXPECT_EQ(lines[1], "         4 |**          ");
  EXPECT_EQ(lines[4], "         1 |          **");
  for (std::size_t row = 1; row <= 4; ++row) {
    EXPECT_EQ(lines[row].size(), 24U);
  }
  EXPECT_EQ(lines[5], "            epoch 1    4");
}

TEST(DrawCurve, ALineFromCornerToCornerInBraille) {
  const auto lines = lines_of(draw_curve("loss", "epoch", {{0, 0}, {1, 1}}, {14, 2, true}));
  ASSERT_EQ(lines.size(), 4U);
  // 20 x 8 dots: no canvas is narrower than 12 characters besides the labels.
  EXPECT_TRUE(lines[1].starts_with("         1 \u2502\u2800"));
  EXPECT_TRUE(lines[1].ends_with("\u2809")) << lines[1];  // dots 1 and 4: the top
  EXPECT_TRUE(lines[2].starts_with("         0 \u2502\u28c0")) << lines[2];  // 7 and 8: the bottom
}

TEST(DrawCurve, NoLineIsWiderThanTheCanvas) {
  const std::vector<std::pair<double, double>> points = {{1, 0.46875}, {30, 0.123456}};
  for (const std::size_t columns : {30U, 45U, 60U}) {
    for (const std::string& line :
         lines_of(draw_curve("training loss", "epoch", points, {columns, 4, false}))) {
      EXPECT_LE(line.size(), columns) << line;
    }
  }
  EXPECT_EQ(lines_of(draw_curve("training loss", "epoch", points, {60, 4, false}))[0],
            "training loss: last 0.1235, least 0.1235, largest 0.4688");
}

TEST(DrawCurve, OnePointAndEqualPoints) {
  for (const bool braille : {false, true}) {
    for (const std::size_t count : {1U, 5U}) {
      const std::vector<std::pair<double, double>> points(count, {3, 7});
      const auto lines = lines_of(draw_curve("f", "epoch", points, {40, 5, braille}));
      EXPECT_EQ(lines.size(), 7U);
    }
  }
}

// As a damaged file may have them.
TEST(DrawCurve, PointsInNoOrderAndRangesThatOverflow) {
  for (const bool braille : {false, true}) {
    for (const std::vector<std::pair<double, double>>& points :
         {std::vector<std::pair<double, double>>{{2, 1}, {9, 3}, {1, 2}, {3, 5}},
          {{1, -1.7e308}, {2, 1.7e308}, {3, 0}}}) {
      EXPECT_EQ(lines_of(draw_curve("f", "epoch", points, {40, 5, braille})).size(), 7U);
    }
  }
}

TEST(TextOfRun, DrawsLossHeldOutLossAndFigure) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl",
               R"x({"epoch":1,"train_loss":2,"train_samples":9,"validation_loss":2.5,)x"
               R"x("validation_rmse(x\u001b[31m)":5})x"
               "\n"
               R"x({"epoch":2,"train_loss":1,"validation_loss":null,)x"
               R"x("validation_rmse(x\u001b[31m)":4})x"
               "\n");
  TextOfRun run = text_of_run(folder.path(), {60, 4, false}, true);
  EXPECT_FALSE(run.is_finished);
  EXPECT_NE(run.text.find("training, 2 epochs done"), std::string::npos) << run.text;
  EXPECT_NE(run.text.find("training loss: last 1, "), std::string::npos) << run.text;
  EXPECT_NE(run.text.find("validation loss: last 2.5, "), std::string::npos) << run.text;
  EXPECT_NE(run.text.find("validation rmse(x\\x1b[31m): last 4, "), std::string::npos) << run.text;
  EXPECT_EQ(run.text.find('\x1b'), std::string::npos);
  EXPECT_EQ(run.text.find("update"), std::string::npos) << run.text;

  folder.write("run.json", R"({"configuration":{"epochs":30}})");
  folder.write("steps.jsonl",
               "{\"update\":50,\"loss\":3}\n{\"update\":100}\n"
               "{\"update\":1500,\"loss\":0.5,\"samples_per_second\":12345.6}\n{\"upd");
  run = text_of_run(folder.path(), {60, 4, false}, true);
  EXPECT_NE(run.text.find("2 of 30 epochs done, update 1,500, 12,345 samples/s"), std::string::npos)
      << run.text;
  EXPECT_NE(run.text.find("training loss: last 0.5, least 0.5, largest 3"), std::string::npos);
  EXPECT_NE(run.text.find("update 50  "), std::string::npos) << run.text;
  for (const std::string& line : lines_of(run.text.substr(run.text.find('\n')))) {
    EXPECT_LE(line.size(), 60U) << line;
  }
  run = text_of_run(folder.path(), {60, 4, false}, false);
  EXPECT_NE(run.text.find("stopped, 2 of 30 epochs done, update 1,500\n"), std::string::npos)
      << run.text;
  EXPECT_FALSE(run.is_finished);
  const TemporaryFolder empty;
  EXPECT_THROW((void)text_of_run(empty.path(), {}, true), InputError);
}

}  // namespace
}  // namespace dnn
