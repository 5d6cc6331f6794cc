#include "dnn/data/label_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/data/dataset.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using Names = std::vector<std::string>;

Dataset table_of(const Names& labels) {
  LabelTable table;
  for (const std::string& label : labels) {
    table.add(std::string_view(label));
  }
  Dataset data;
  data.origin = "t.csv";
  table.finish(data);
  return data;
}

TEST(LabelTable, SpellingsOfAnIntegerAreOneClass) {
  const Dataset data =
      table_of({"10", "2", "+2", "02", " 2.0", "2.000e+00", "2e+0", "1.0E1", "-1", "-1.0"});
  EXPECT_EQ(data.class_names, (Names{"-1", "2", "10"}));
  EXPECT_EQ(std::vector<std::int32_t>(data.label_view().begin(), data.label_view().end()),
            (std::vector<std::int32_t>{2, 1, 1, 1, 1, 1, 1, 2, 0, 0}));
}

TEST(LabelTable, CodesThatCouldBeNumbersStayText) {
  for (const Names& codes : {Names{"1E1", "10", "2"}, Names{"1E2", "2e5", "9E9"}}) {
    Names sorted = codes;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(table_of(codes).class_names, sorted);
    EXPECT_NO_THROW(check_are_classes(codes, "t.csv"));
  }
}

TEST(LabelTable, NumbersThatAreNotIntegersAreNoClasses) {
  // They are read: that is for whoever learns them to refuse.
  EXPECT_EQ(table_of({"1.5", "0.5", "1.5"}).class_names, (Names{"0.5", "1.5"}));
  test::expect_error<InputError>(
      [] {
        check_are_classes(Names{"1", "1.5"}, "t.csv");
      },
      {"t.csv", "label '1.5' is not a class", "--task numbers"});
  EXPECT_NO_THROW(check_are_classes(Names{"0.5", "1.5", "none"}, "t.csv"));
  EXPECT_NO_THROW(check_are_classes(Names{"1", "2"}, "t.csv"));
  EXPECT_NO_THROW(check_are_classes(Names{}, "t.csv"));
}

}  // namespace
}  // namespace dnn
