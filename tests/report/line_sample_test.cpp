#include "dnn/report/line_sample.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

/// Lines of unequal length, some of which are longer than the pieces in which a file is read.
std::string text_of(std::size_t number) {
  return std::to_string(number) + std::string(number % 7 == 3 ? 70'000 : number % 5, 'x');
}

std::string file_of(const test::TemporaryFolder& folder, std::size_t count) {
  std::string text;
  for (std::size_t number = 1; number <= count; ++number) {
    text += text_of(number) + "\n";
  }
  return folder.write("lines", text + "half a li");
}

TEST(LineSample, HasAllLinesOfAShortFile) {
  const test::TemporaryFolder folder;
  for (const std::size_t count : {0U, 1U, 19U, 20U}) {
    const LineSample sample = LineSample::of(file_of(folder, count), 20);
    EXPECT_EQ(sample.count, count);
    ASSERT_EQ(sample.lines.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(sample.lines[i].number, i + 1);
      EXPECT_EQ(sample.lines[i].text, text_of(i + 1));
    }
  }
}

TEST(LineSample, OfALongFileHasSomeLinesTheLastAndTheOneThatIsNamed) {
  const test::TemporaryFolder folder;
  const LineSample sample = LineSample::of(file_of(folder, 101), 20, 9);
  EXPECT_EQ(sample.count, 101U);
  std::vector<std::size_t> numbers;
  for (const LineSample::Line& line : sample.lines) {
    numbers.push_back(line.number);
    EXPECT_EQ(line.text, text_of(line.number));
  }
  EXPECT_EQ(numbers, (std::vector<std::size_t>{1, 7, 9, 13, 19, 25, 31, 37, 43, 49, 55, 61, 67, 73,
                                               79, 85, 91, 97, 101}));
}

TEST(LineSample, OfAFileThatIsNotThereIsEmptyAndOfWhatIsNoFileAnError) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(LineSample::of(folder / "nothing", 20).count, 0U);
  test::expect_error<FileError>([&] { (void)LineSample::of(folder.path(), 20); },
                                {folder.path().c_str()});
}

}  // namespace
}  // namespace dnn
