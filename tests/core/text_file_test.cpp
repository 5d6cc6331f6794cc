#include "dnn/core/text_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

std::vector<std::string> lines_in(const std::string& path) {
  std::vector<std::string> lines;
  const std::size_t count =
      for_each_line(path, [&lines](std::string_view line) { lines.emplace_back(line); });
  EXPECT_EQ(count, lines.size());
  return lines;
}

// A file is read in pieces of 64 KiB.
TEST(TextFile, LinesEndWhereverThePiecesDo) {
  const test::TemporaryFolder folder;
  constexpr std::size_t piece = std::size_t{1} << 16;
  for (const std::size_t size : {piece - 2, piece - 1, piece, 3 * piece}) {
    const std::vector<std::string> lines = {std::string(size, 'x'), "", "last"};
    const std::string text = lines[0] + "\n\nlast\n";
    const std::string path = folder.write("lines", text);
    EXPECT_EQ(lines_in(path), lines) << size;
    EXPECT_EQ(contents_of(path), text) << size;
    EXPECT_EQ(lines_in(folder.write("begun", text + "half a li")), lines) << size;
  }
  EXPECT_TRUE(lines_in(folder.write("empty", "")).empty());
}

TEST(TextFile, NoFileIsNothingAndWhatIsNoFileAnError) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(contents_of(folder / "none"), std::nullopt);
  EXPECT_TRUE(lines_in(folder / "none").empty());
  const std::string other = folder.write("other", "mine\n");
  std::filesystem::create_symlink(other, folder / "link");
  for (const std::string& path : {folder.path(), folder / "link"}) {
    test::expect_error<FileError>([&] { (void)contents_of(path); }, {"cannot read", path.c_str()});
    test::expect_error<FileError>([&] { (void)for_each_line(path, [](std::string_view) {}); },
                                  {"cannot read", path.c_str()});
  }
  EXPECT_EQ(contents_of(other), "mine\n");
}

}  // namespace
}  // namespace dnn
