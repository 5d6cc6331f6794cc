#include "dnn/data/describe_schema.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dnn {
namespace {

TEST(DescribeSchema, NamesStayOnTheirLinesAndEndWhereACharacterDoes) {
  TableSchema schema;
  TableColumn column;
  column.name = "feat\n1";
  column.kind = ColumnKind::category;
  column.categories = {"line\nbreak", "tab\t"};
  column.counts = {3, 1};
  column.distinct = 2;
  schema.columns.push_back(column);
  column.name = "y";
  for (int i = 0; i < 30; ++i) {
    column.name += "\xe2\x82\xac";
  }
  schema.columns.push_back(column);
  const std::vector<std::string> lines = describe(schema);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[1].starts_with("feat\\n1 ")) << lines[1];
  EXPECT_NE(lines[1].find("2: line\\nbreak 75 %, tab\\t 25 %"), std::string::npos) << lines[1];
  EXPECT_TRUE(lines[2].starts_with(column.name.substr(0, 43) + "... ")) << lines[2];
  for (const std::string& line : lines) {
    EXPECT_EQ(line.find_first_of("\n\t"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace dnn
