#include "dnn/tables/table_team.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "dnn/tables/read_table.hpp"
#include "support/reading_team.hpp"
#include "tables/table_text.hpp"

namespace dnn {
namespace {

/// How a made-up table is written.
struct Form {
  std::string line_end = "\n";
  bool has_quotes = true;  ///< texts with quotes, delimiters and line ends in them
  bool has_dates = true;
};

/// Columns of numbers, texts, dates and labels, some of them missing.
std::string made_up_table(std::size_t rows, const Form& form, unsigned seed) {
  std::mt19937 random(seed);
  const auto draw = [&random](unsigned below) { return static_cast<unsigned>(random() % below); };
  const std::vector<std::string> plain = {"red", "green", "blue", "NA", ""};
  const std::vector<std::string> quoted = {
      "\"one" + form.line_end + "two" + form.line_end + "three\"", "\"a \"\"word\"\", and more\"",
      "\"1,2,3,4,5" + form.line_end + "6,7,8,9,10\"", "\"" + form.line_end + "\"", "plain"};
  std::string text = "x,when,colour,note,label" + form.line_end;
  for (std::size_t i = 0; i < rows; ++i) {
    text += draw(9) == 0 ? std::string() : std::to_string(0.37 * draw(1000) - 50);
    text += ",";
    if (form.has_dates) {
      text += "2024-0" + std::to_string(1 + draw(9)) + "-1" + std::to_string(draw(10));
    } else {
      text += std::to_string(i);
    }
    text += "," + plain[draw(5)] + ",";
    text += form.has_quotes ? quoted[draw(5)] : std::to_string(draw(4));
    text += "," + std::string(draw(2) == 0 ? "yes" : "no") + form.line_end;
    if (draw(15) == 0) {
      text += form.line_end;  // an empty line
    }
  }
  return text;
}

auto reader_of(const std::string& text, const ReadOptions& options) {
  return [&text, options](const ReadingTeam& team) {
    ReadOptions own = options;
    own.team = team;
    return read_table(std::as_bytes(std::span(text)), "t.csv", own);
  };
}

TEST(TableTeam, ReadsWhatOneProcessReads) {
  for (const std::string line_end : {"\n", "\r\n", "\r"}) {
    for (const bool has_quotes : {false, true}) {
      for (const std::size_t rows : {1U, 3U, 60U}) {
        const std::string text =
            made_up_table(rows, {line_end, has_quotes, rows % 2 == 0}, static_cast<unsigned>(rows));
        for (const std::size_t members : {2U, 3U, 5U}) {
          for (const std::size_t chunk : {16U, 61U, 400U, 100'000U}) {
            SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(members) +
                         " members, chunks of " + std::to_string(chunk) + ", quotes " +
                         std::to_string(has_quotes));
            test::expect_same_by_team(members, reader_of(text, {.chunk_bytes = chunk}));
          }
        }
      }
    }
  }
}

TEST(TableTeam, ATableMayBeCutAtEveryByte) {
  const std::string text = made_up_table(12, {}, 3);
  for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
    SCOPED_TRACE(chunk);
    test::expect_same_by_team(2, reader_of(text, {.chunk_bytes = chunk}));
  }
  // The border between two members, wherever it is.
  for (std::size_t longer = 0; longer < text.size(); longer += 3) {
    const std::string padded = text + made_up_table(longer / 20, {}, 4).substr(25);
    SCOPED_TRACE(longer);
    test::expect_same_by_team(2, reader_of(padded, {.chunk_bytes = padded.size() / 4 + 1}));
  }
}

TEST(TableTeam, FindsTheFirstErrorOfTheTable) {
  const std::string rows = made_up_table(40, {}, 7);
  const std::vector<std::string> broken = {"1,2\n", "inf,2024-01-11,red,plain,yes\n",
                                           "1,2024-01-11,red,plain,\n",
                                           "1,2024-01-11,red,\"never closed,yes\n"};
  std::vector<std::size_t> places;  // where a record begins, in a table without quotes
  const std::string plain = made_up_table(40, {"\n", false, true}, 8);
  for (std::size_t at = plain.find('\n'); at + 1 < plain.size(); at = plain.find('\n', at + 1)) {
    places.push_back(at + 1);
  }
  for (std::size_t k = 0; k < places.size(); k += 5) {
    for (const std::string& row : broken) {
      std::string text = plain;
      text.insert(places[places.size() - 1 - k], broken.front());  // a later error as well
      text.insert(places[k], row);
      for (const std::size_t members : {2U, 4U}) {
        SCOPED_TRACE(row + std::to_string(k));
        test::expect_same_by_team(members, reader_of(text, {.chunk_bytes = 90}));
      }
    }
    // Quotes before the error make its line hard to tell.
    test::expect_same_by_team(3, reader_of(rows + broken[k / 5 % 3], {.chunk_bytes = 70}));
  }
}

TEST(TableTeam, ReadsTablesWhoseLastRecordIsIncomplete) {
  const std::string text = made_up_table(30, {}, 9);
  for (std::size_t size = text.size() - 40; size < text.size(); ++size) {
    SCOPED_TRACE(size);
    const std::string cut = text.substr(0, size);
    test::expect_same_by_team(3, reader_of(cut, {.chunk_bytes = 120}));
  }
}

// The lines of a quoted text look like rows of the table: whoever begins there has guessed wrong.
TEST(TableTeam, WhoGuessesWrongReadsAgain) {
  std::string text = "x,text,label\n";
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i % 9) + ",\"some\n1,2,3\n4,5,6\n7,8,9\n1,2,3\n4,5,6\n" +
            std::to_string(i % 3) + "\"," + (i % 2 == 0 ? "yes" : "no") + "\n";
  }
  for (const std::string end : {"", "1,2\n", "inf,a,yes\n", "1,a,\n", "7,8"}) {
    for (const std::size_t members : {2U, 3U, 5U}) {
      for (const std::size_t chunk : {20U, 57U, 150U, 400U}) {
        SCOPED_TRACE(end + std::to_string(members) + " " + std::to_string(chunk));
        const std::string whole = text + end;
        test::expect_same_by_team(members, reader_of(whole, {.chunk_bytes = chunk}));
      }
    }
  }
}

// Nothing in the rows that begin within a quoted text tells that they are none.
TEST(TableTeam, AWrongGuessThatIsNoErrorIsFound) {
  std::string text = "label,x,text\n";
  for (int i = 0; i < 40; ++i) {
    text += std::string(i % 2 == 0 ? "yes," : "no,") + std::to_string(i % 9) +
            ",\"some\n1,2,3\n4,5,6\n7,8,9\n1,2,3\n4,5,6\"\n";
  }
  for (const std::string end : {"", "yes,1\n", "no,inf,a\n", ",1,a\n"}) {
    for (const std::size_t members : {2U, 3U, 5U}) {
      for (const std::size_t chunk : {20U, 57U, 150U, 400U}) {
        SCOPED_TRACE(end + std::to_string(members) + " " + std::to_string(chunk));
        const std::string whole = text + end;
        test::expect_same_by_team(members, reader_of(whole, {.chunk_bytes = chunk}));
      }
    }
  }
}

// An incomplete last record is left out below others, and an error where it is the only one.
TEST(TableTeam, TheOnlyRecordMayBeTheLastMembers) {
  const std::string train = "x,y,label\n1,2,a\n3,4,b\n";
  const Dataset first = read_table(std::as_bytes(std::span(train)), "train.csv", {});
  for (const std::string rows : {"", "1,2,a\n"}) {
    const std::string text = "x,y,label\n" + rows + std::string(300, '\n') + "3,4";
    for (const std::size_t members : {2U, 3U}) {
      test::expect_same_by_team(
          members,
          reader_of(text, {.task = Task::classes, .chunk_bytes = 50, .schema = &first.schema}));
    }
  }
}

TEST(TableTeam, ReadsEveryTask) {
  std::string text = "a,b,c,weight,target\n";
  for (int i = 0; i < 50; ++i) {
    text += std::to_string(i * i % 17) + "," + (i % 7 == 0 ? "" : std::to_string(0.1 * i)) +
            ",\"x" + std::to_string(i % 3) + "\ny\"," + std::to_string(i % 4) + "," +
            (i % 11 == 0 ? "" : std::to_string(0.5 * i)) + "\n";
  }
  std::string lists = "a,tags\n";
  for (int i = 0; i < 50; ++i) {
    lists += std::to_string(i % 13) + "," +
             (i % 3 == 0   ? "red;blue"
              : i % 3 == 1 ? ""
                           : "green") +
             "\n";
  }
  const std::string index = [] {
    std::string table = "id,x,y\n";
    for (int i = 0; i < 60; ++i) {
      table += std::to_string((i * 37 + 5) % 61) + "," + std::to_string(i % 5) + "," +
               std::to_string(i % 2) + "\n";
    }
    return table;
  }();
  for (const std::size_t members : {2U, 3U, 5U}) {
    for (const std::size_t chunk : {40U, 300U}) {
      const ReadOptions numbers{.task = Task::numbers,
                                .weight_column = "weight",
                                .drop_unlabelled = true,
                                .chunk_bytes = chunk};
      test::expect_same_by_team(members, reader_of(text, numbers));
      ReadOptions refused = numbers;
      refused.drop_unlabelled = false;
      test::expect_same_by_team(members, reader_of(text, refused));
      test::expect_same_by_team(members,
                                reader_of(lists, {.task = Task::labels, .chunk_bytes = chunk}));
      test::expect_same_by_team(members, reader_of(index, {.chunk_bytes = chunk}));
    }
  }
}

TEST(TableTeam, TellsOfWordsAmongNumbersAsOneProcessDoes) {
  std::string text = "x,y,label\n";
  for (int i = 0; i < 600; ++i) {
    text += std::to_string(i) + (i > 250 && i % 50 == 7 ? ".5*," : ".5,") +
            (i % 90 == 70 ? "Total" : std::to_string(i % 5)) + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  const Dataset data = read_table(std::as_bytes(std::span(text)), "t.csv", {});
  EXPECT_TRUE(test::has_note(data, {"593 of its 600 cells", "'257.5*' in line 259."}));
  EXPECT_TRUE(test::has_note(data, {"'Total' is no number", "in 6 of 600 rows", "line 72 "}));
  for (const std::size_t members : {2U, 3U, 5U}) {
    for (const std::size_t chunk : {50U, 1000U}) {
      test::expect_same_by_team(members, reader_of(text, {.chunk_bytes = chunk}));
    }
  }
}

// One member sees what looks like huge numbers, another that they are text.
TEST(TableTeam, RefusesHugeNumbersAndRepeatedHeadersAsOneProcessDoes) {
  for (const std::string late : {"beefcafe", "17"}) {
    std::string text = "id,y,label\n";
    for (int i = 0; i < 400; ++i) {
      text += (i < 200 ? std::to_string(i % 7) + "e99" + std::to_string(i % 10) : late) + ",\"" +
              (i == 333 ? "inf" : std::to_string(i % 5)) + "\"" + (i % 2 == 0 ? ",a\n" : ",b\n");
      text += i == 250 ? "\n" : "";
    }
    const std::string joined = text + "id,y,label\n1,2,a\n";
    for (const std::size_t members : {2U, 3U, 5U}) {
      for (const std::size_t chunk : {50U, 1000U}) {
        test::expect_same_by_team(members, reader_of(text, {.chunk_bytes = chunk}));
        test::expect_same_by_team(members, reader_of(joined, {.chunk_bytes = chunk}));
        test::expect_same_by_team(members,
                                  reader_of(text, {.columns = "ignore:y", .chunk_bytes = chunk}));
      }
    }
  }
}

TEST(TableTeam, ReadsDataThatMatchAnothersSchema) {
  const std::string train = made_up_table(60, {}, 11);
  const std::string other = made_up_table(40, {}, 12);
  const std::string strange = other + "1,2024-01-01,violet,plain,yes\n";
  const Dataset first = read_table(std::as_bytes(std::span(train)), "train.csv", {});
  for (const std::string& text : {other, strange, strange + "x,2024-01-01,red,plain,yes\n"}) {
    test::expect_same_by_team(
        3, reader_of(text, {.task = Task::classes, .chunk_bytes = 100, .schema = &first.schema}));
  }
}

TEST(TableTeam, ReadsSeveralFilesOfUnequalSize) {
  std::vector<std::string> texts = {made_up_table(1, {}, 1), made_up_table(50, {}, 2),
                                    made_up_table(4, {}, 3), made_up_table(0, {}, 4),
                                    made_up_table(17, {}, 5)};
  std::vector<TableText> parts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    parts.push_back({std::as_bytes(std::span(texts[i])), "part" + std::to_string(i) + ".csv"});
  }
  for (const std::size_t members : {2U, 3U, 5U, 8U}) {
    for (const std::size_t chunk : {30U, 200U, 5000U}) {
      test::expect_same_by_team(members, [&](const ReadingTeam& team) {
        return read_table_parts(parts, "parts", {.chunk_bytes = chunk, .team = team});
      });
    }
  }
}

// A member's chunks may begin within the last record of a file and go on with the next file.
TEST(TableTeam, ASegmentMayBeginWithinAFilesLastRecord) {
  const std::string long_text = "\"" + std::string(60, 'a') + "\n" + std::string(60, 'b') + "\"";
  const std::string first = "x,note,label\n1,short,yes\n2," + long_text + ",no\n";
  const std::string second = "x,note,label\n3,short,no\n4,\"c\nd\",yes\n5,short,no\n";
  const std::vector<TableText> parts = {{std::as_bytes(std::span(first)), "first.csv"},
                                        {std::as_bytes(std::span(second)), "second.csv"},
                                        {std::as_bytes(std::span(first)), "third.csv"}};
  for (std::size_t chunk = 3; chunk <= 160; chunk += chunk < 60 ? 3 : 10) {
    for (const std::size_t members : {2U, 3U, 5U}) {
      SCOPED_TRACE(std::to_string(chunk) + " " + std::to_string(members));
      test::expect_same_by_team(members, [&](const ReadingTeam& team) {
        return read_table_parts(parts, "parts", {.chunk_bytes = chunk, .team = team});
      });
    }
  }
}

// A column of which most cells are new looks like one of identifiers. When it does so depends on
// the rows before, which are other members'.
TEST(TableTeam, GivesUpOnIdentifiersWhereOneProcessDoes) {
  for (const int repeated : {1, 2, 3}) {
    std::string text = "key,x,label\n";
    for (int i = 0; i < 220'000; ++i) {
      text += "k" + std::to_string(i / repeated * 7919 % 1'000'003) + "," + std::to_string(i % 10) +
              (i % 2 == 0 ? ",a\n" : ",b\n");
    }
    for (const std::size_t members : {2U, 3U}) {
      SCOPED_TRACE(std::to_string(repeated) + " rows a key");
      test::expect_same_by_team(members, reader_of(text, {.chunk_bytes = 300'000}));
    }
  }
}

}  // namespace
}  // namespace dnn
