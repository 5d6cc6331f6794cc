#include "dnn/report/class_figures.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using Json = nlohmann::ordered_json;

/// A matrix of `size` classes "c0", "c1", ... with `count(row, column)` in its cells.
template <class Count>
std::string confusion_csv(int size, const Count& count) {
  std::string csv = "true\\predicted";
  for (int i = 0; i < size; ++i) {
    csv += ",c" + std::to_string(i);
  }
  for (int row = 0; row < size; ++row) {
    csv += "\nc" + std::to_string(row);
    for (int column = 0; column < size; ++column) {
      csv += "," + std::to_string(count(row, column));
    }
  }
  return csv + "\n";
}

TEST(ClassFigures, CountsAClassIsInAndTakenFor) {
  const Json json = class_figures(
      "true\\predicted,\"a,\"\"b\"\"\nc\",'=d\n\"a,\"\"b\"\"\nc\",5,2\n'=d,1,7\n", "confusion.csv");
  EXPECT_EQ(json["names"], Json({"a,\"b\"\nc", "=d"}));
  EXPECT_EQ(json["count"], 2);
  EXPECT_EQ(json["samples"], 15);
  EXPECT_EQ(json["correct_samples"], 12);
  EXPECT_EQ(json["support"], Json({7, 8}));
  EXPECT_EQ(json["predicted"], Json({6, 9}));
  EXPECT_EQ(json["correct"], Json({5, 7}));
  EXPECT_EQ(json["matrix"]["counts"], (Json{{5, 2}, {1, 7}}));
  EXPECT_EQ(json["matrix"]["others"], false);
}

TEST(ClassFigures, OfManyClassesTheMostConfusedAreShownAndTheOthersSummed) {
  // Class 3 k is taken for the class behind it, k times; with 33 classes those from 3 are confused.
  const Json json = class_figures(
      confusion_csv(33,
                    [](int row, int column) {
                      return row == column ? 100 : row % 3 == 0 && column == row + 1 ? row / 3 : 0;
                    }),
      "confusion.csv");
  EXPECT_EQ(json["names"].size(), 33U);
  const Json& matrix = json["matrix"];
  EXPECT_EQ(matrix["others"], true);
  ASSERT_EQ(matrix["names"].size(), 30U);
  EXPECT_EQ(std::count(matrix["names"].begin(), matrix["names"].end(), Json("c30")), 1);
  EXPECT_EQ(std::count(matrix["names"].begin(), matrix["names"].end(), Json("c32")), 0);
  std::uint64_t sum = 0;
  for (const Json& row : matrix["counts"]) {
    ASSERT_EQ(row.size(), 31U);
    sum += row.get<std::vector<std::uint64_t>>().back();
    for (const Json& count : row) {
      sum += count.get<std::uint64_t>();
    }
    sum -= row.get<std::vector<std::uint64_t>>().back();
  }
  EXPECT_EQ(sum, json["samples"]);
}

TEST(ClassFigures, PairsOfAThousandClassesAndMore) {
  std::string csv = "true,predicted,count\n";
  for (int i = 0; i < 1500; ++i) {
    csv += "c" + std::to_string(i) + ",c" + std::to_string(i < 1400 ? i : 0) + ",2\n";
  }
  const Json json = class_figures(csv, "confusion.csv");
  EXPECT_EQ(json["count"], 1500);
  EXPECT_EQ(json["samples"], 3000);
  EXPECT_EQ(json["correct_samples"], 2800);
  ASSERT_EQ(json["names"].size(), 1000U);
  EXPECT_EQ(json["names"][0], "c0");
  EXPECT_EQ(json["predicted"][0], 202);
  EXPECT_EQ(json["names"][999], "c1499");
}

TEST(ClassFigures, ASpreadsheetsLineEndsAreLineEnds) {
  EXPECT_EQ(class_figures("true\\predicted,a,b\r\na,1,2\r\nb,3,4\r\n", "confusion.csv"),
            class_figures("true\\predicted,a,b\na,1,2\nb,3,4\n", "confusion.csv"));
}

TEST(ClassFigures, RefusesWhatIsNoMatrix) {
  for (const char* text : {"", "a,b\n", "true\\predicted,a\n", "true\\predicted,a\na,x\n",
                           "true\\predicted,a\na,1,2\n", "true,predicted,count\na,b\n",
                           "true\\predicted,a\na,1\nb,1\n"}) {
    test::expect_error<InputError>([&] { (void)class_figures(text, "here.csv"); }, {"here.csv"});
  }
}

}  // namespace
}  // namespace dnn
