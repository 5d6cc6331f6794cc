#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "dnn/readers/libsvm_reader.hpp"
#include "support/expect_error.hpp"
#include "support/reading_team.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

std::string made_up_lines(std::size_t rows, const std::string& line_end, const std::string& label,
                          unsigned seed) {
  std::mt19937 random(seed);
  std::string text = "# made up" + line_end;
  for (std::size_t i = 0; i < rows; ++i) {
    text += label == "lists"    ? (i % 3 == 0   ? "4,1"
                                   : i % 3 == 1 ? "2"
                                                : "")
            : label == "number" ? std::to_string(0.25 * static_cast<double>(i))
            : label == "class"  ? "c" + std::to_string(random() % 3)
                                : "";
    for (std::size_t feature = 1 + random() % 3; feature < 9; feature += 1 + random() % 4) {
      text += " " + std::to_string(feature) + ":" + std::to_string(random() % 50);
    }
    text += (random() % 5 == 0 ? " # a comment" : "") + line_end;
    text += random() % 6 == 0 ? line_end : "";
  }
  return text;
}

auto reader_of(const std::string& text, const ReadOptions& options) {
  return [&text, options](const ReadingTeam& team) {
    ReadOptions own = options;
    own.team = team;
    return read_libsvm(std::as_bytes(std::span(text)), "d.svm", own);
  };
}

TEST(LibsvmTeam, ValuesThatDoNotFitAreReadIntoTheSpareMemory) {
  const test::TemporaryFolder folder;
  const std::string text = made_up_lines(5000, "\n", "class", 3);
  const auto values = static_cast<std::size_t>(std::count(text.begin(), text.end(), ':'));
  const auto read = [&](std::size_t available, const ScratchMemory& spare) {
    return reader_of(text, {.spare_memory = spare, .available = available})({});
  };
  const Dataset whole = read(8 * values, {});
  EXPECT_FALSE(whole.in_spare_memory);
  test::expect_error<InputError>([&] { (void)read(8 * values - 1, {}); },
                                 {"d.svm: ", "values need", "of memory", "--placement disk"});
  test::expect_error<InputError>(
      [&] { (void)reader_of(text, {.piece_bytes = 1 << 20, .available = 8 * values - 1})({}); },
      {"values need", "split the file"});
  const ScratchMemory spare(folder.path());
  EXPECT_FALSE(read(8 * values, spare).in_spare_memory);
  const Dataset on_disk = read(8 * values - 1, spare);
  EXPECT_TRUE(on_disk.in_spare_memory);
  EXPECT_TRUE(std::ranges::equal(on_disk.values.view, whole.values.view));
  test::expect_same_by_team(3,
                            reader_of(text, {.spare_memory = spare, .available = 8 * values / 4}));
}

TEST(LibsvmTeam, ReadsWhatOneProcessReads) {
  const std::vector<std::pair<std::string, Task>> tasks = {{"class", Task::automatic},
                                                           {"number", Task::numbers},
                                                           {"lists", Task::labels},
                                                           {"none", Task::automatic}};
  for (const auto& [label, task] : tasks) {
    for (const std::string line_end : {"\n", "\r\n", "\r"}) {
      for (const std::size_t rows : {1U, 2U, 37U}) {
        for (const std::size_t members : {2U, 3U, 5U}) {
          SCOPED_TRACE(label + ", " + std::to_string(rows) + " rows, " + std::to_string(members));
          const std::string text = made_up_lines(rows, line_end, label, 1);
          test::expect_same_by_team(members, reader_of(text, {.task = task}));
        }
      }
    }
  }
}

TEST(LibsvmTeam, ATextMayBeCutAtEveryByte) {
  const std::string text = made_up_lines(9, "\n", "class", 2);
  for (std::size_t longer = 0; longer < 2 * text.size(); ++longer) {
    // Comment lines move the border between two members through the text, and below it.
    const std::string moved = text + std::string(longer, '#') + "\n";
    test::expect_same_by_team(2, reader_of(moved, {}));
    const std::string above = std::string(longer, '#') + "\n" + text;
    test::expect_same_by_team(3, reader_of(above, {}));
  }
}

TEST(LibsvmTeam, FindsTheFirstErrorWithItsLine) {
  const std::string text = made_up_lines(30, "\n", "class", 3);
  std::vector<std::size_t> places;
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    places.push_back(at + 1);
  }
  for (std::size_t k = 0; k < places.size(); k += 3) {
    for (const std::string line : {"c1 3:x\n", "c1 2:1 2:2\n", "1:2 3:4\n", "a,b 1:2\n", "c1 0:1\n",
                                   "c1 qid:7 1:2\n", "c1 1:16777217\n"}) {
      std::string broken = text;
      broken.insert(places[places.size() - 1 - k], "c1 bad\n");
      broken.insert(places[k], line);
      std::string one = text;
      one.insert(places[k], line);
      for (const std::size_t members : {2U, 4U}) {
        SCOPED_TRACE(line + std::to_string(k));
        test::expect_same_by_team(members, reader_of(broken, {}));
        test::expect_same_by_team(members, reader_of(one, {}));
      }
    }
  }
}

TEST(LibsvmTeam, ReadsSeveralFilesOfUnequalSize) {
  const std::vector<std::string> texts = {made_up_lines(1, "\n", "class", 1), "\n\n",
                                          made_up_lines(40, "\r\n", "class", 2),
                                          made_up_lines(3, "\n", "class", 3) + "c1 qid:3 1:4\n"};
  std::vector<TableText> parts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    parts.push_back({std::as_bytes(std::span(texts[i])), "part" + std::to_string(i) + ".svm"});
  }
  for (const std::size_t members : {2U, 3U, 6U}) {
    test::expect_same_by_team(members, [&](const ReadingTeam& team) {
      return read_libsvm(parts, "parts", {.team = team});
    });
  }
}

}  // namespace
}  // namespace dnn
