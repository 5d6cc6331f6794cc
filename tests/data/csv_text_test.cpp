#include "dnn/data/csv_text.hpp"

#include <gtest/gtest.h>

namespace dnn {
namespace {

TEST(CsvText, FormulasBecomeTextAndNumbersStayNumbers) {
  EXPECT_EQ(spreadsheet_field("=1+1"), "'=1+1");
  EXPECT_EQ(spreadsheet_field("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
  EXPECT_EQ(spreadsheet_field("@SUM(A1)"), "'@SUM(A1)");
  EXPECT_EQ(spreadsheet_field("-2+3"), "'-2+3");
  EXPECT_EQ(spreadsheet_field("-cmd"), "'-cmd");
  for (const char* as_it_is : {"-1", "+1.5e3", "-.5", "1-2", "plain", "", "a=b"}) {
    EXPECT_EQ(spreadsheet_field(as_it_is), as_it_is);
  }
  EXPECT_EQ(csv_field("=1+1"), "=1+1");
}

}  // namespace
}  // namespace dnn
