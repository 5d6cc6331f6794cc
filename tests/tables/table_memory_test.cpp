#include "dnn/tables/table_memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "dnn/core/error.hpp"
#include "dnn/tables/read_table.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

std::string table_of(std::size_t rows) {
  std::string text = "a,b,label\n";
  for (std::size_t i = 0; i < rows; ++i) {
    text += std::to_string(i % 100) + "," + std::to_string(i * 7 % 1000) + ",x\n";
  }
  return text;
}

TEST(TableMemory, RowsAreEstimatedByTheFirstLines) {
  for (const std::size_t rows : {std::size_t{1}, std::size_t{10}, std::size_t{100'000}}) {
    const std::string text = table_of(rows);
    const std::vector<TableLayout> parts(2, find_layout(text, "t.csv", HeaderMode::detect));
    EXPECT_NEAR(static_cast<double>(estimate_rows(parts)), 2.0 * static_cast<double>(rows),
                0.05 * static_cast<double>(rows));
  }
  const std::string mac = "a,b\r1,2\r3,4\r";
  const TableLayout layout = find_layout(mac, "t.csv", HeaderMode::detect);
  EXPECT_EQ(estimate_rows(std::span(&layout, 1)), 2U);
}

TEST(TableMemory, LineEndsWithinQuotesAreNoRows) {
  std::string text = "a,b\n";
  for (int i = 0; i < 100; ++i) {
    text += "1,\"one\ntwo\nthree \"\"quoted\"\"\n\"\n";
  }
  const TableLayout layout = find_layout(text, "t.csv", HeaderMode::detect);
  EXPECT_EQ(estimate_rows(std::span(&layout, 1)), 100U);
}

TEST(TableMemory, ATableThatDoesNotFitIsRefusedBeforeItIsRead) {
  const std::string text = table_of(100'000);
  const TableLayout layout = find_layout(text, "t.csv", HeaderMode::detect);
  const std::size_t needed = 100'000 * 3 * 12;
  require_memory_for_table(std::span(&layout, 1), "t.csv", needed);
  require_memory_for_table(std::span(&layout, 1), "t.csv", needed / 100 * 85);
  test::expect_error<InputError>(
      [&] { require_memory_for_table(std::span(&layout, 1), "t.csv", needed / 2); },
      {"t.csv: ", "rows of 3 columns", "this job may use 1.7 MiB more", "NPY"});
  require_memory_for_table(std::span(&layout, 1), "t.csv", needed / 4, 4);
  EXPECT_THROW(require_memory_for_table(std::span(&layout, 1), "t.csv", needed / 8, 4), InputError);
}

TEST(TableMemory, ATableThatDoesNotFitIsReadIntoTheSpareMemory) {
  const test::TemporaryFolder folder;
  const std::string text = table_of(100'000);
  const auto read = [&](std::size_t available, const ScratchMemory& spare) {
    ReadOptions options;
    options.spare_memory = spare;
    options.available = available;
    return read_table(std::as_bytes(std::span(text)), "t.csv", options);
  };
  const std::size_t needed = 100'000 * 3 * 12;
  const Dataset whole = read(needed, {});
  EXPECT_FALSE(whole.in_spare_memory);
  EXPECT_THROW((void)read(needed / 2, {}), InputError);
  const ScratchMemory spare(folder.path());
  EXPECT_FALSE(read(needed, spare).in_spare_memory);
  const Dataset on_disk = read(needed / 2, spare);
  EXPECT_TRUE(on_disk.in_spare_memory);
  EXPECT_TRUE(std::ranges::equal(on_disk.values.view, whole.values.view));
  EXPECT_TRUE(std::ranges::equal(on_disk.labels.view, whole.labels.view));
  EXPECT_NE(on_disk.notes, whole.notes);
}

}  // namespace
}  // namespace dnn
