#include "dnn/core/sparse_columns.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/sparse_rows.hpp"

namespace dnn {
namespace {

template <class Element>
std::vector<Element> all(std::span<const Element> of) {
  return {of.begin(), of.end()};
}

TEST(SparseColumns, AreTheValuesColumnByColumn) {
  SparseColumns<float> columns;
  for (const std::size_t rows : {5U, 40U, 0U, 7U}) {
    const test::SparseExample<float> example(rows, 150, 20, rows);
    columns.sort(example.sparse());
    const ActiveColumns<float> view = columns.view();
    EXPECT_EQ(all(view.active), example.active);
    EXPECT_EQ(all(view.offsets), example.column_offsets);
    EXPECT_EQ(all(view.rows), example.rows_of_values);
    EXPECT_EQ(all(view.values), example.values_by_column);
  }
}

}  // namespace
}  // namespace dnn
