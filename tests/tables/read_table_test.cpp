#include "dnn/tables/read_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "dnn/core/error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/data/table_schema_json.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using test::expect_error;
using Names = std::vector<std::string>;

Dataset read(const std::string& text, const ReadOptions& options = {}) {
  return read_table(std::as_bytes(std::span(text)), "t.csv", options);
}

/// Whether one of the notes has all of `parts`.
bool has_note(const Dataset& data, const std::vector<std::string>& parts) {
  return std::any_of(data.notes.begin(), data.notes.end(), [&parts](const std::string& note) {
    return std::all_of(parts.begin(), parts.end(), [&note](const std::string& part) {
      return note.find(part) != std::string::npos;
    });
  });
}

/// Rows of "number,label" with labels a and b in turns.
std::string column_of(const std::vector<std::string>& cells) {
  std::string text = "x,label\n";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    text += cells[i] + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  return text;
}

const TableColumn& column(const Dataset& data, const std::string& name) {
  for (const TableColumn& c : data.schema.columns) {
    if (c.name == name) {
      return c;
    }
  }
  throw std::logic_error("no column " + name);
}

std::vector<double> features(const Dataset& data) {
  std::vector<double> x(data.samples * data.features);
  std::vector<std::uint64_t> samples(data.samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = i;
  }
  Gatherer<double>(data, {}).gather(samples, {x.data(), data.samples, data.features});
  return x;
}

std::vector<double> targets(const Dataset& data) {
  const auto rows = data.target_rows.as<double>();
  return {rows.begin(), rows.end()};
}

std::vector<std::int32_t> labels(const Dataset& data) {
  return {data.label_view().begin(), data.label_view().end()};
}

TEST(ReadTable, HeaderlessNumbersWithTheLabelLast) {
  const Dataset data = read("1,2,7\n3,4,5\n5,6,7\n");
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(data.class_names, (Names{"5", "7"}));
  EXPECT_EQ(labels(data), (std::vector<std::int32_t>{1, 0, 1}));
}

TEST(ReadTable, HeaderIsFoundAndAUsualLabelColumnWithIt) {
  const Dataset data = read("Class,width,height\r\nb,1.5,-2e3\r\na,+3, 4 \r\n");
  EXPECT_EQ(data.feature_names, (Names{"width", "height"}));
  EXPECT_EQ(features(data), (std::vector<double>{1.5, -2000, 3, 4}));
  EXPECT_EQ(data.class_names, (Names{"a", "b"}));
  EXPECT_EQ(labels(data), (std::vector<std::int32_t>{1, 0}));
}

TEST(ReadTable, HeaderWhoseColumnsHaveNumbersForNames) {
  const Dataset data = read("0,1,label\n5,6,a\n7,8,b\n");
  EXPECT_EQ(data.feature_names, (Names{"0", "1"}));
  EXPECT_EQ(data.class_names, (Names{"a", "b"}));
  // The same word as a class that occurs again names nothing.
  EXPECT_EQ(read("0,1,target\n5,6,decoy\n7,8,target\n").samples, 3U);
  expect_error<InputError>([] { read("0,1,Label\n"); }, {"t.csv", "no rows below the header"});
}

TEST(ReadTable, QuotedFieldsHoldDelimitersQuotesAndLineEnds) {
  const Dataset data = read("x,\"kind, really\"\n\"1\",\"a \"\"b\"\", c\"\n2,\"two\nlines\"\n",
                            {.label_column = "kind, really"});
  EXPECT_EQ(data.class_names, (Names{"a \"b\", c", "two\nlines"}));
  EXPECT_EQ(features(data), (std::vector<double>{1, 2}));
}

TEST(ReadTable, OtherDelimitersAndBlankLines) {
  EXPECT_EQ(features(read("1;2;a\n\n3;4;b\n")), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(features(read("1\t2\ta\n3\t4\tb")), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(features(read("\r\n\n1;2;a\r\n  \r\n3;4;b\r\n \n")), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(read("\"a;\nb\";\"c,d,e\"\n1;2\n3;4\n").feature_names, (Names{"a;\nb"}));
}

TEST(ReadTable, BlanksBeforeAQuoteAreNoneOfTheField) {
  const Dataset data = read("1, 2, \"a, b\"\n3, 4,  \"c\"\n");
  EXPECT_EQ(data.class_names, (Names{"a, b", "c"}));
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4}));
}

TEST(ReadTable, LabelColumnByNumberFromEitherEnd) {
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "1"}).class_names, (Names{"1", "4"}));
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "-2"}).class_names, (Names{"2", "5"}));
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {.label_column = "first"}).class_names, (Names{"1", "4"}));
  expect_error<InputError>([] { read("1,2,3\n4,5,6\n", {.label_column = "4"}); },
                           {"t.csv", "--label-column 4", "3 columns"});
  expect_error<InputError>([] { read("a,b\n4,5\n", {.label_column = "kind"}); },
                           {"--label-column kind", "a, b"});
}

TEST(ReadTable, NumericLabelsAreInNumericOrderAndSpellingsOfAnIntegerAreOne) {
  EXPECT_EQ(read("1,10\n2,9.0\n3,9\n4,-1\n").class_names, (Names{"-1", "9", "10"}));
}

TEST(ReadTable, UnclosedQuote) {
  expect_error<InputError>([] { read("1,a\n2,\"b\n3,c\n"); }, {"line 2, column 2", "never closed"});
}

TEST(ReadTable, RealNumbersAreNoClasses) {
  expect_error<InputError>([] { read("1,0.5\n2,0.75\n"); },
                           {"'column 2'", "not whole", "--task numbers"});
}

TEST(ReadTable, NumbersAsPeopleWriteThem) {
  EXPECT_EQ(features(read("x;y;label\n1,5;2,5;a\n-3,5;1.234,5;b\n")),
            (std::vector<double>{1.5, 2.5, -3.5, 1234.5}));
  EXPECT_EQ(features(read("share,income,label\n12.5%,\"1,234,567\",a\n50%,\"$2,000\",b\n")),
            (std::vector<double>{0.125, 1234567, 0.5, 2000}));
  EXPECT_EQ(features(read("x,label\n1.5D+03,a\n2d0,b\n")), (std::vector<double>{1500, 2}));
}

TEST(ReadTable, DelimitersAndLineEndsOfAllKinds) {
  const std::vector<double> expected = {1, 2, 3, 4};
  EXPECT_EQ(features(read("1|2|a\n3|4|b\n")), expected);
  EXPECT_EQ(features(read("  1   2\ta\n 3 4   b\n")), expected);
  EXPECT_EQ(features(read("1,2,a\r3,4,b\r")), expected);
  EXPECT_EQ(features(read("1,2,a\r\n3,4,b")), expected);
}

TEST(ReadTable, ADelimiterAtTheEndOfEveryLine) {
  const Dataset named = read("x,y,label,\n1,2,a,\n3,4,b,\n");
  EXPECT_EQ(features(named), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(column(named, "column 4").kind, ColumnKind::ignored);
  // The header may do without it.
  EXPECT_EQ(features(read("x,y,label\n1,2,a,\n3,4,b,\n")), features(named));
}

TEST(ReadTable, LinesAboveTheTableArePassedOverAndTold) {
  const Dataset titled = read("Measurements of May\n\nx,y,label\n1,2,a\n3,4,b\n5,6,a\n");
  EXPECT_EQ(features(titled), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(has_note(titled, {"1 line above the table"}));
  const Dataset commented = read("# a logger\n# x, y, label\n1,2,a\n# pause\n3,4,b\n");
  EXPECT_EQ(features(commented), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(commented.feature_names, (Names{"x", "y"}));
  const Dataset units = read("x,y,label\n[m],[kg],[-]\n1,2,a\n3,4,b\n5,6,a\n");
  EXPECT_EQ(units.samples, 3U);
  EXPECT_TRUE(has_note(units, {"line 2", "units"}));
}

TEST(ReadTable, AValueMayBeginWithTheMarkOfComments) {
  const Dataset data = read("colour,x,label\n#ff0000,1,a\n#00ff00,2,b\n#ff0000,3,a\n");
  EXPECT_EQ(data.samples, 3U);
  EXPECT_EQ(column(data, "colour").categories, (Names{"#00ff00", "#ff0000"}));
}

TEST(ReadTable, RowNamesHaveNoNameInTheHeader) {
  const Dataset data = read("x,y,label\nr1,1,2,a\nr2,3,4,b\n", {.columns = "ignore:row name"});
  EXPECT_EQ(features(data), (std::vector<double>{1, 2, 3, 4}));
}

TEST(ReadTable, DuplicateNamesBecomeDistinct) {
  const Dataset data = read("x,x,label\n1,2,a\n3,4,b\n");
  EXPECT_EQ(data.feature_names, (Names{"x", "x.1"}));
  EXPECT_TRUE(has_note(data, {"several columns are named 'x'", "column 2"}));
}

TEST(ReadTable, CategoriesHaveAnInputEach) {
  const Dataset data = read("colour,fresh,label\nred,True,a\nblue,False,b\nred,False,a\n");
  EXPECT_EQ(data.features, 4U);
  EXPECT_EQ(data.feature_names,
            (Names{"colour = blue", "colour = red", "fresh = False", "fresh = True"}));
  EXPECT_EQ(features(data), (std::vector<double>{0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0}));
}

// A text that is cut anywhere, read by several threads, is what it is in one piece.
TEST(ReadTable, ChunksGiveTheTableOfOnePiece) {
  const std::vector<std::string> texts = {
      // Quoted fields with line ends, doubled quotes, CRLF, blank and comment lines, missing
      // values.
      "# made by hand\r\nx,c,when,label\r\n1,\"a\nb\",2024-01-02,u\r\n\r\n2,\"say \"\"no\"\"\","
      "2024-03-04,v\r\n# 5,6\r\nNA,\"\n\n,1,2,\n\",,u\r\n4,?,2024-05-06,v\r\n5,a,2024-05-06,u\r\n",
      // CR alone; a stray quote inside a field; a delimiter at the line's end.
      "x;c;label;\r1;5\" pipe;u;\r2;6\" pipe;v;\r3;;u;\r\r4;z;v;\r",
      // An incomplete last line; a number becomes text late.
      "x,y,label\n1,1,u\n2,2,v\n3,3,u\n4,four,v\n5,5,u\n6,6,v\n7",
  };
  for (const std::string& text : texts) {
    const Dataset whole = read(text);
    for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
      for (const int threads_wanted : {1, 3}) {
        set_threads(threads_wanted);
        const Dataset cut = read(text, {.chunk_bytes = chunk});
        set_threads(1);
        ASSERT_EQ(to_json(cut.schema), to_json(whole.schema)) << text << '\n' << chunk;
        ASSERT_EQ(cut.notes, whole.notes) << text << '\n' << chunk;
        ASSERT_EQ(cut.class_names, whole.class_names);
        ASSERT_TRUE(std::ranges::equal(cut.label_view(), whole.label_view())) << chunk;
        ASSERT_EQ(cut.element, whole.element);
        ASSERT_TRUE(std::ranges::equal(cut.values.view, whole.values.view)) << text << chunk;
      }
    }
  }
}

/// The rows of a table that has to match, read in pieces of `bytes`, and how many pieces.
std::size_t read_pieces(std::span<const TableText> texts, ReadOptions options, std::size_t bytes,
                        const Dataset& whole) {
  options.piece_bytes = bytes;
  options.chunk_bytes = 7;
  const std::vector<double> all = features(whole);
  std::size_t pieces = 0;
  std::size_t samples = 0;
  while (true) {
    const Dataset piece = read_table_parts(texts, "t.csv", options);
    EXPECT_EQ(piece.first_sample, samples);
    EXPECT_EQ(piece.notes, pieces == 0 ? whole.notes : std::vector<std::string>());
    EXPECT_EQ(piece.has_labels(), whole.has_labels());
    const std::vector<double> own = features(piece);
    for (std::size_t i = 0; i < own.size() && samples + piece.samples <= whole.samples; ++i) {
      EXPECT_EQ(own[i], all[samples * whole.features + i]);
    }
    for (std::size_t i = 0; i < piece.samples && samples + i < whole.samples; ++i) {
      EXPECT_EQ(piece.kept(i, 0), whole.kept(samples + i, 0));
      if (whole.has_labels()) {
        EXPECT_EQ(piece.class_names[static_cast<std::size_t>(piece.label_view()[i])],
                  whole.class_names[static_cast<std::size_t>(whole.label_view()[samples + i])]);
      }
    }
    ++pieces;
    samples += piece.samples;
    if (!piece.next) {
      break;
    }
    options.from = *piece.next;
  }
  EXPECT_EQ(samples, whole.samples);
  return pieces;
}

TEST(ReadTable, TargetsAreFoundByNameInAnyOrder) {
  const std::string text = "large,round,x\n1,0,3\n0,1,4\n0,0,5\n";
  const Dataset train = read(text, {.task = Task::labels, .label_column = "large,round"});
  const Dataset test =
      read(text, {.task = Task::labels, .label_column = "round,large", .schema = &train.schema});
  EXPECT_EQ(test.class_names, train.class_names);
  EXPECT_EQ(targets(test), targets(train));
}

TEST(ReadTable, PiecesAreTheTable) {
  const Dataset train = read("n,c,d,label\n1,a,02/03/2024,u\n2,b,04/05/2024,v\n3,a,01/01/2024,u\n",
                             {.label_column = "label"});
  const std::string first =
      "id,d,n,c,label\n1,03/02/2024,7,\"a\",u\n2,25/12/2024,8,zzz,v\n\n3,01/01/2024,9,\"b\",u\n"
      "\"4\n4\",01/01/2024,1,a,u\n\n\n";
  const std::string second = "id,d,n,c,label\n5,01/01/2024,1,b,v\n6,01/01/2024,2,b,";
  for (const std::string& end : {std::string("u\n"), std::string("\n"), std::string("u")}) {
    const std::string last = second + end;
    const std::vector<TableText> texts = {{std::as_bytes(std::span(first)), "1.csv"},
                                          {std::as_bytes(std::span(last)), "2.csv"}};
    const ReadOptions options{.label_column = "label",
                              .keep = {"id"},
                              .schema = &train.schema,
                              .features = train.features};
    const Dataset whole = read_table_parts(texts, "t.csv", options);
    EXPECT_EQ(whole.samples, 6U);
    EXPECT_EQ(whole.kept(3, 0), "4\n4");
    EXPECT_EQ(whole.has_labels(), end != "\n");
    EXPECT_TRUE(has_note(whole, {"'c' has 1 value that the training data do not have"}));
    EXPECT_EQ(read_pieces(texts, options, 1000, whole), 1U);
    std::size_t pieces = 0;
    for (std::size_t bytes = 1; bytes < first.size() + last.size(); ++bytes) {
      pieces = std::max(pieces, read_pieces(texts, options, bytes, whole));
    }
    EXPECT_GE(pieces, 6U);
  }
}

TEST(ReadTable, ChunksNameTheLineOfTheWholeTable) {
  const std::string text = "x,label\n1,a\n\"2\",b\n\"\n3\",a\n4,b\n5,a,7\n6,b\n1e999,a\n";
  const std::string unlabelled = "x,label\n1,a\n\"2\",b\n\"\n3\",a\n4,b\n5,\n6,b\n";
  for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
    for (const int threads_wanted : {1, 2}) {
      set_threads(threads_wanted);
      expect_error<InputError>([&] { (void)read(text, {.chunk_bytes = chunk}); },
                               {"line 7 has 3 columns, the table has 2"});
      expect_error<InputError>([&] { (void)read(unlabelled, {.chunk_bytes = chunk}); },
                               {"line 7: the label is missing"});
      set_threads(1);
    }
  }
}

TEST(ReadTable, RareCategoriesShareAnInput) {
  const Dataset data =
      read("c,label\nx,a\ny,b\nx,a\nz,b\ny,a\n", {.label_column = "label", .max_categories = 1});
  EXPECT_EQ(column(data, "c").categories, (Names{"x"}));
  EXPECT_EQ(column(data, "c").other_count, 3U);
  EXPECT_EQ(features(data), (std::vector<double>{1, 0, 0, 1, 1, 0, 0, 1, 0, 1}));
}

TEST(ReadTable, AmongManyCategoriesThoseOfASingleRowShareAnInput) {
  std::string text = "c,label\n";
  for (int i = 0; i < 900; ++i) {
    const int category = i < 600 ? i % 300 : i;  // 300 twice, 300 once
    text += "c" + std::to_string(1000 + category) + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  const TableColumn found = column(read(text), "c");
  EXPECT_EQ(found.categories.size(), 300U);
  EXPECT_EQ(found.categories.front(), "c1000");
  EXPECT_EQ(found.other_count, 300U);
  EXPECT_EQ(found.remark, "300 values of a single row share an input");
  EXPECT_EQ(column(read(text, {.max_categories = 40}), "c").remark,
            "560 rarer values share an input (--max-categories 40)");
}

// Digits are read eight at a time; what follows them may be anything, or nothing.
TEST(ReadTable, NumbersOfAnyLengthAreTheNearest) {
  const std::string digits = "7305918264830517394620";
  std::string text = "x,label\n";
  std::vector<double> expected;
  for (std::size_t length = 1; length <= digits.size(); ++length) {
    for (std::size_t point = 0; point <= length; ++point) {
      for (const char* end : {"", "e3", "E-12", " "}) {
        const std::string number = std::string(point % 2 == 0 ? "-" : "") +
                                   digits.substr(0, point) + "." +
                                   digits.substr(point, length - point) + end;
        expected.push_back(std::strtod(number.c_str(), nullptr));
        text += number + (expected.size() % 2 == 0 ? ",a\n" : ",b\n");
      }
    }
  }
  EXPECT_EQ(features(read(text, {.wide = true})), expected);
  for (const char* no_number : {"1234567:", "12345678/", "1.2345678;", "1\xc2\xb2"}) {
    std::string column = "x,label\n";
    for (int i = 0; i < 20; ++i) {
      column += std::string(no_number) + std::to_string(i % 4) + (i % 2 == 0 ? ",a\n" : ",b\n");
    }
    EXPECT_EQ(read(column).schema.columns[0].kind, ColumnKind::category) << no_number;
  }
}

TEST(ReadTable, TenMillionValuesAreNoCategories) {
  std::string text = "c,label\n";
  text.reserve(std::size_t{120} << 20);
  for (int i = 0; i < 10'000'000; ++i) {
    char cell[16];
    *std::to_chars(std::begin(cell), std::end(cell), i).ptr = '\0';
    text += 'v';
    text += cell;
    text += i % 2 == 0 ? ",a\n" : ",b\n";
  }
  expect_error<InputError>([&] { (void)read(text); },
                           {"zero features", "'c': identifier, too many different values",
                            "--columns category:NAME takes the commonest"});
}

TEST(ReadTable, MissingValuesAreMarked) {
  Dataset data = read("x,c,label\n1,u,a\n,v,b\nNA,?,a\n4,u,b\n");
  EXPECT_EQ(column(data, "x").missing, 2U);
  EXPECT_EQ(column(data, "c").missing, 1U);
  EXPECT_EQ(data.feature_names, (Names{"x", "x is missing", "c = u", "c = v", "c is missing"}));
  data.schema.columns[0].fill = 2.5;
  EXPECT_EQ(features(data),
            (std::vector<double>{1, 0, 1, 0, 0, 2.5, 1, 0, 1, 0, 2.5, 1, 0, 0, 1, 4, 0, 1, 0, 0}));
  EXPECT_EQ(column(read("x,label\n1,a\n-9,b\n3,a\n", {.missing = "-9"}), "x").missing, 1U);
  // With an empty list, a word like any other.
  const Dataset words = read("c,label\nNA,a\n?,b\n,a\nNA,b\n", {.missing = ""});
  EXPECT_EQ(column(words, "c").missing, 1U);
  EXPECT_EQ(column(words, "c").categories, (Names{"?", "NA"}));
  EXPECT_TRUE(words.schema.missing_words.empty());
}

TEST(ReadTable, AFewWordsAmongNumbersAreMissingValues) {
  std::vector<std::string> cells(40, "1");
  cells[3] = "2";
  cells[7] = "unknown";
  const Dataset data = read(column_of(cells));
  EXPECT_EQ(column(data, "x").kind, ColumnKind::number);
  EXPECT_EQ(column(data, "x").missing_words, (Names{"unknown"}));
  EXPECT_NE(column(data, "x").remark.find("'unknown' is a missing value"), std::string::npos);
  // Many words are text, also where the first rows are numbers.
  std::vector<std::string> late(600, "1");
  for (std::size_t i = 300; i < late.size(); ++i) {
    late[i] = i % 2 == 0 ? "big" : "small";
  }
  const Dataset text = read(column_of(late));
  EXPECT_EQ(column(text, "x").kind, ColumnKind::category);
  EXPECT_EQ(column(text, "x").categories, (Names{"1", "big", "small"}));
}

TEST(ReadTable, DatesBecomeTimesAndCycles) {
  const Dataset data = read(column_of({"2024-01-01", "2024-04-02", "2024-07-03", "1970-01-02"}));
  const TableColumn& when = column(data, "x");
  EXPECT_EQ(when.kind, ColumnKind::date);
  EXPECT_FALSE(when.hour);
  EXPECT_TRUE(when.weekday);
  EXPECT_TRUE(when.month);
  EXPECT_EQ(data.features, 5U);
  const std::vector<double> x = features(data);
  EXPECT_EQ(x[15], 86400);
  EXPECT_NEAR(x[8], 1, 1e-12);  // April: a quarter of the year
  // With a time zone.
  const Dataset zoned = read(column_of({"2024-01-01T00:00:00+02:00", "2024-01-01T12:00:00Z",
                                        "1970-01-01T00:30:00-01:00", "1970-01-01 03:00:00+01:30"}));
  EXPECT_EQ(column(zoned, "x").kind, ColumnKind::date);
  EXPECT_EQ(column(zoned, "x").least, 5400);
  EXPECT_EQ(column(zoned, "x").largest, 86400.0 * 19723 + 12 * 3600);
  // Months without a day.
  for (const Names& months : {Names{"Mar-2018", "Apr-2018", "May-2019", "Jan-1970"},
                              Names{"March 2018", "April 2018", "May 2019", "January 1970"},
                              Names{"2018-03", "2018-04", "2019-05", "1970-01"}}) {
    const Dataset by_month = read(column_of(months));
    EXPECT_EQ(column(by_month, "x").kind, ColumnKind::date) << months[0];
    EXPECT_EQ(column(by_month, "x").least, 0);
    EXPECT_EQ(column(by_month, "x").largest, 86400.0 * 18017);
  }
  // A day above 12 says which order; it may come late.
  const Dataset day_first =
      read(column_of({"01/02/2024", "03/04/2024", "25/12/2024", "05/06/2024"}));
  EXPECT_EQ(column(day_first, "x").largest, 86400.0 * 20082);
  EXPECT_EQ(column(day_first, "x").remark, "");
  // Where nothing says which, the remark does.
  const Dataset either = read(column_of({"01/02/2024", "03/04/2024", "05/12/2024", "05/06/2024"}));
  EXPECT_EQ(column(either, "x").largest, 86400.0 * 19855);  // May 12
  EXPECT_NE(column(either, "x").remark.find("01/02 is taken for January 2"), std::string::npos);
}

TEST(ReadTable, IdentifiersAndConstantsAreLeftOut) {
  std::string text = "row,id,same,x,label\n";
  for (int i = 0; i < 30; ++i) {
    text += std::to_string(i) + ",P" + std::to_string(i) + ",7," + std::to_string(i * i % 7) +
            (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  const Dataset data = read(text);
  EXPECT_EQ(column(data, "row").kind, ColumnKind::identifier);
  EXPECT_EQ(column(data, "id").kind, ColumnKind::identifier);
  EXPECT_EQ(column(data, "same").kind, ColumnKind::constant);
  EXPECT_EQ(data.feature_names, (Names{"x"}));
  const Dataset asked = read(text, {.columns = "number:row,same;category:id"});
  EXPECT_EQ(asked.features, 1U + 30U + 1U + 1U);
}

TEST(ReadTable, AShuffledIndexIsLeftOut) {
  const auto table = [](const std::string& name, int step) {
    std::string text = name + ",x,label\n";
    for (int i = 0; i < 30; ++i) {
      text += std::to_string(i * step % 31) + "," + std::to_string(i * i % 7) +
              (i % 2 == 0 ? ",a\n" : ",b\n");
    }
    return read(text);
  };
  EXPECT_EQ(table("", 7).feature_names, (Names{"x"}));
  EXPECT_EQ(table("ID", 7).feature_names, (Names{"x"}));
  EXPECT_EQ(table("size", 7).feature_names, (Names{"size", "x"}));
  EXPECT_EQ(table("", 31).feature_names, (Names{"x"}));  // constant
}

TEST(ReadTable, AGuessedLabelThatIsNoneNamesItsColumnAndOthers) {
  expect_error<InputError>(
      [] {
        read("colour,size,inc\nred,1,10.5\nblue,2,11.25\nred,3,12.5\n",
             {.columns = "category:colour"});
      },
      {"column 'inc'", "last column", "not whole", "--label-column", "'colour' (2 values)"});
  std::string prices = "kind,price\n";
  for (int i = 0; i < 60; ++i) {
    prices += (i % 2 == 0 ? "a," : "b,") + std::to_string(1000 + i * 37) + "\n";
  }
  expect_error<InputError>([&] { read(prices, {.columns = "category:kind"}); },
                           {"'price'", "60 different numbers in 60 rows", "'kind' (2 values)"});
  EXPECT_EQ(read(prices, {.task = Task::classes, .label_column = "price"}).classes(), 60U);
  expect_error<InputError>(
      [] { read("u,v,w\n1,2,a\n2,3,\n3,4,b\n"); },
      {"column 'w'", "only column of text", "no value in 1 of 3 rows", "line 3"});
}

TEST(ReadTable, TheOnlyColumnOfTextIsTheLabel) {
  const Dataset data = read("no,0.3,0.1\nyes,0.1,0.5\nno,0.9,0.2\n");
  EXPECT_EQ(data.class_names, (Names{"no", "yes"}));
  EXPECT_TRUE(has_note(data, {"the label is 'column 1'", "only column of text"}));
  EXPECT_EQ(read("a,b,c\nu,v,1\nu,w,2\n").class_names, (Names{"1", "2"}));
  EXPECT_EQ(read("a,b\n1,2\n3,4\n", {.columns = "label:a"}).class_names, (Names{"1", "3"}));
}

TEST(ReadTable, LargeNumbersKeepTheirLastDigits) {
  const Dataset data = read("t,label\n1700000021,a\n1700000022,b\n1700000023,a\n");
  EXPECT_EQ(data.element, ElementType::f64);
  EXPECT_EQ(features(data), (std::vector<double>{1700000021, 1700000022, 1700000023}));
}

TEST(ReadTable, TheSmallestTypeHoldsTheValues) {
  EXPECT_EQ(read("0,a\n255,b\n").element, ElementType::u8);
  EXPECT_EQ(read("0,a\n256,b\n").element, ElementType::f32);
  EXPECT_EQ(read("0.1,a\n0.2,b\n").element, ElementType::f32);
  EXPECT_EQ(read("0.1,a\n0.2,b\n", {.wide = true}).element, ElementType::f64);
}

TEST(ReadTable, HeaderByOption) {
  EXPECT_EQ(read("1,2\n3,4\n5,6\n", {.header = HeaderMode::yes}).samples, 2U);
  EXPECT_EQ(read("a,b\n3,4\n", {.header = HeaderMode::no}).samples, 2U);
}

TEST(ReadTable, ATestTableIsMatchedByName) {
  const Dataset train =
      read("x,colour,label\n1,red,a\n2,blue,b\n3,red,a\n", {.label_column = "label"});
  const ReadOptions options{.schema = &train.schema};
  const Dataset test = read("extra,label,colour,x\n9,b,blue,2\n9,a,green,1\n", options);
  EXPECT_EQ(features(test), (std::vector<double>{2, 1, 0, 1, 0, 0}));
  EXPECT_EQ(test.class_names, (Names{"a", "b"}));
  EXPECT_TRUE(has_note(test, {"'extra'", "left out"}));
  EXPECT_TRUE(has_note(test, {"'colour'", "1 value", "1 row", "'green'"}));
  EXPECT_FALSE(read("colour,x\nred,1\n", options).has_labels());
  expect_error<InputError>([&] { read("x,label\n1,a\n2,b\n", options); },
                           {"t.csv", "no column 'colour'"});
  expect_error<InputError>([&] { read("x,colour,label\n1,red,a\nbig,red,b\n", options); },
                           {"line 3", "'x'", "'big'", "not a number", "--missing"});
  expect_error<InputError>([&] { read("x,colour,label\n1,5,a\n2,6,b\n", options); },
                           {"'colour'", "numbers", "text in the training data"});
}

TEST(ReadTable, AColumnOfWeightsIsNoFeature) {
  const std::string text = "x,w,label\n1,2,a\n2,0,b\n3,0.5,a\n";
  for (const ReadOptions& options :
       {ReadOptions{.weight_column = "w"}, ReadOptions{.columns = "weight:w"},
        ReadOptions{.weight_column = "2", .columns = "weight:w"}}) {
    const Dataset data = read(text, options);
    EXPECT_EQ(data.features, 1U);
    const auto weights = data.weights.as<double>();
    EXPECT_EQ(std::vector<double>(weights.begin(), weights.end()),
              (std::vector<double>{2, 0, 0.5}));
    EXPECT_EQ(column(data, "w").kind, ColumnKind::weight);
    EXPECT_TRUE(has_note(data, {"weight", "'w'"}));
  }
  EXPECT_FALSE(read(text).has_weights());
  // A row that is left out has no weight either.
  const Dataset fewer =
      read("x,w,label\n1,2,a\n2,0,\n3,0.5,b\n", {.weight_column = "w", .drop_unlabelled = true});
  EXPECT_EQ(fewer.weights.as<double>().size(), 2U);
}

TEST(ReadTable, WeightsThatAreNoneNameLineColumnAndCell) {
  const ReadOptions options{.weight_column = "w"};
  for (const auto& [cell, what] :
       std::vector<std::pair<std::string, std::string>>{{"-2", "negative"},
                                                        {"nan", "no weight"},
                                                        {"", "no weight"},
                                                        {"inf", "no weight"},
                                                        {"heavy", "no weight"}}) {
    const std::string told = "'" + cell + "' is " + what;
    expect_error<InputError>([&] { read("x,w,label\n1,1,a\n2," + cell + ",b\n", options); },
                             {"t.csv: line 3", "'w'", told.c_str(), "0 or more"});
  }
  expect_error<InputError>([&] { read("x,w,label\n1,0,a\n2,0,b\n", options); },
                           {"t.csv", "'w'", "0 in all 2 rows"});
  expect_error<InputError>([&] { read("x,label\n1,a\n2,b\n", options); },
                           {"--weight-column w", "no column"});
  expect_error<InputError>(
      [] { read("x,w,label\n1,1,a\n2,1,b\n", {.label_column = "w", .weight_column = "w"}); },
      {"both"});
  expect_error<InputError>(
      [] { read("x,w,label\n1,1,a\n", {.weight_column = "w", .columns = "number:w"}); },
      {"contradict"});
  expect_error<InputError>([] { read("x,w,label\n1,1,a\n", {.columns = "weight:x,w"}); },
                           {"one column of weights"});
}

TEST(ReadTable, ATestTableMayLackTheWeights) {
  const Dataset train = read("x,w,label\n1,2,a\n2,3,b\n", {.weight_column = "w"});
  const ReadOptions options{.schema = &train.schema};
  EXPECT_EQ(read("label,x,w\na,1,4\nb,2,5\n", options).weights.as<double>()[1], 5);
  EXPECT_FALSE(read("label,x\na,1\nb,2\n", options).has_weights());
  // A model has no use for them, whatever they are.
  const ReadOptions model{.schema = &train.schema, .features = 1};
  EXPECT_FALSE(read("x,w,label\n1,-4,a\n2,,b\n", model).has_weights());
  const Dataset unnamed = read("1,2,a\n2,3,b\n", {.label_column = "3", .weight_column = "2"});
  const ReadOptions by_place{.schema = &unnamed.schema};
  EXPECT_TRUE(read("5,4,a\n6,1,b\n", by_place).has_weights());
  EXPECT_TRUE(read("5,a\n6,b\n", by_place).has_labels());
  const ReadOptions model_by_place{.schema = &unnamed.schema, .features = 1};
  EXPECT_EQ(features(read("5\n6\n", model_by_place)), (std::vector<double>{5, 6}));
  expect_error<InputError>([&] { read("5,4\n6,1\n", model_by_place); }, {"cannot be told"});
}

TEST(ReadTable, TargetsAreRowsOfNumbers) {
  const std::string text = "x,price,z,time\n1,10.5,7,1700000021\n2,-3,8,1700000022\n";
  const Dataset data = read(text, {.task = Task::numbers, .label_column = "time,price"});
  EXPECT_EQ(data.task, Task::numbers);
  EXPECT_EQ(data.class_names, (Names{"price", "time"}));  // in the table's order
  EXPECT_EQ(targets(data), (std::vector<double>{10.5, 1700000021, -3, 1700000022}));
  EXPECT_EQ(features(data), (std::vector<double>{1, 7, 2, 8}));
  EXPECT_EQ(data.schema.task, Task::numbers);
  EXPECT_EQ(column(data, "price").largest, 10.5);
  EXPECT_EQ(targets(read(text, {.task = Task::numbers, .columns = "label:time;ignore:z"})),
            (std::vector<double>{1700000021, 1700000022}));
  // The last column, told; one named y comes first.
  const Dataset last = read(text, {.task = Task::numbers});
  EXPECT_EQ(last.class_names, (Names{"time"}));
  EXPECT_TRUE(has_note(last, {"'time'", "the last column"}));
  EXPECT_EQ(read("y,x\n1.5,2\n2.5,3\n", {.task = Task::numbers}).class_names, (Names{"y"}));
}

TEST(ReadTable, TargetsOfATestTableAreThoseOfTheSchema) {
  const Dataset train =
      read("x,a,b\n1,2,3\n4,5,6\n", {.task = Task::numbers, .label_column = "a,b"});
  const ReadOptions options{.task = Task::numbers, .schema = &train.schema};
  EXPECT_EQ(targets(read("b,x,a\n9,1,8\n7,2,6\n", options)), (std::vector<double>{8, 9, 6, 7}));
  expect_error<InputError>([&] { read("b,x\n9,1\n", options); }, {"1 of the 2 target columns"});
  const ReadOptions model{.task = Task::numbers, .schema = &train.schema, .features = 1};
  EXPECT_FALSE(read("x\n1\n", model).has_labels());
  expect_error<InputError>([&] { read("x,a,b\n1,2,red\n", options); },
                           {"line 2", "'b'", "'red'", "not a number"});
}

TEST(ReadTable, TargetsThatATaskDoesNotHave) {
  expect_error<InputError>([] { read("x,a\n1,2\n4,red\n", {.task = Task::numbers}); },
                           {"line 3", "'a'", "'red' is not a number, which --task asks for"});
  expect_error<InputError>([] { read("x,a\n1,2\n4,\n", {.task = Task::numbers}); },
                           {"line 3", "missing", "--drop-unlabelled"});
  EXPECT_EQ(read("x,a\n1,2\n4,\n", {.task = Task::numbers, .drop_unlabelled = true}).samples, 1U);
  expect_error<InputError>([] { read("x,a\n1,0\n4,2\n", {.task = Task::labels}); },
                           {"sample 2", "'a'", "neither 0 nor 1"});
  expect_error<InputError>(
      [] { read("x,a,b\n1,0.5,0.4\n", {.task = Task::distribution, .label_column = "a,b"}); },
      {"sample 1", "add up to 0.9"});
  expect_error<InputError>(
      [] { read("x,a\n1,2\n", {.task = Task::numbers, .label_column = "a,a"}); }, {"twice"});
}

TEST(ReadTable, NumbersThatMayBeClassesAskForTheTask) {
  std::string years = "x,year\n";
  for (int i = 0; i < 60; ++i) {
    years += std::to_string(i * i) + ',' + std::to_string(1950 + i) + '\n';
  }
  const ReadOptions named{.label_column = "year"};
  expect_error<InputError>(
      [&] { read(years, named); },
      {"'year'", "60 different numbers in 60 rows", "--task numbers", "--task classes"});
  EXPECT_EQ(read(years, {.task = Task::classes, .label_column = "year"}).classes(), 60U);
  EXPECT_EQ(read(years, {.task = Task::numbers, .label_column = "year"}).classes(), 1U);
  expect_error<InputError>([] { read("x,size\n1,0.5\n2,0.75\n", {.label_column = "size"}); },
                           {"'size'", "not whole", "--task numbers"});
}

TEST(ReadTable, DatesOfATestTableHaveTheTrainingOrder) {
  const Dataset train = read(column_of({"01/02/2024", "25/04/2024", "03/05/2024", "05/06/2024"}));
  const ReadOptions options{.schema = &train.schema};
  EXPECT_EQ(features(read("x,label\n01/02/2024,a\n", options))[0], 86400.0 * 19754);  // February
  EXPECT_EQ(features(read("x,label\n01/22/2024,a\n", options))[0], 86400.0 * 19744);
  EXPECT_EQ(features(read("x,label\n2024-02-01,a\n", options))[0], 86400.0 * 19754);
  expect_error<InputError>([&] { read("x,label\n01/22/2024,a\n22/01/2024,b\n", options); },
                           {"line 3", "'x'", "'22/01/2024' is not a date"});
}

TEST(ReadTable, AFeatureIsNoLabelOfATestTable) {
  const Dataset train = read("x,flag,label\n1,0,a\n2,1,b\n3,0,a\n");
  expect_error<InputError>(
      [&] { read("label,x,flag\na,1,1\n", {.label_column = "last", .schema = &train.schema}); },
      {"--label-column last", "'flag' is a feature"});
}

TEST(ReadTable, UnknownValuesAreToldWhereRareOnesShareAnInput) {
  const Dataset train =
      read("c,label\nx,a\ny,b\nx,a\nz,b\n", {.label_column = "label", .max_categories = 1});
  const Dataset test = read("c,label\nw,a\nx,b\n", {.schema = &train.schema});
  EXPECT_TRUE(has_note(test, {"'c' has 1 value", "'w'", "share the input of rarer values"}));
}

TEST(ReadTable, ARowOfMissingValuesIsNoLineOfUnits) {
  EXPECT_EQ(read("x,y,label\n,NA,a\n5,0,b\n5,1,a\n3,1,b\n").samples, 4U);
}

TEST(ReadTable, DatesOfManyYearsKeepTheirDay) {
  std::string text = "when,label\n";
  for (int year = 2000; year < 2099; ++year) {
    text += std::to_string(year) + "-05-01," + (year % 2 == 0 ? "a\n" : "b\n");
  }
  const Dataset data = read(text);
  EXPECT_EQ(data.element, ElementType::f64);
  EXPECT_FALSE(column(data, "when").month);
}

TEST(ReadTable, WhatColumnsSayDecidesTheLabelToo) {
  const std::string text = "label,x,kind\n1,2,a\n2,3,b\n1,4,a\n";
  EXPECT_EQ(read(text, {.columns = "ignore:label"}).class_names, (Names{"a", "b"}));
  expect_error<InputError>([&] { read(text, {.columns = "label:x,kind"}); }, {"one label"});
  std::string cars = "model,mpg,am\n";
  for (int i = 0; i < 32; ++i) {
    cars += "car " + std::to_string(i) + "," + std::to_string(i * 7 % 31) + "," +
            std::to_string(i % 2) + "\n";
  }
  expect_error<InputError>([&] { read(cars); }, {"'model'", "32 different texts in 32 rows"});
}

TEST(ReadTable, WithoutNamesATestTableIsMatchedByPlace) {
  const Dataset train = read("1,red,a\n2,blue,b\n3,red,a\n");
  const ReadOptions options{.schema = &train.schema};
  EXPECT_EQ(features(read("2,blue,b\n", options)), (std::vector<double>{2, 1, 0}));
  EXPECT_FALSE(read("2,blue\n1,red\n", options).has_labels());
  expect_error<InputError>([&] { read("1,2,3,4\n5,6,7,8\n", options); },
                           {"4 columns", "the training data have 3"});
}

TEST(ReadTable, MissingValuesThatTheTrainingDataDoNotHave) {
  const Dataset train = read("x,c,label\n1,u,a\n2,v,b\n3,u,a\n");
  TableSchema schema = train.schema;
  schema.columns[0].fill = 2;
  const Dataset test = read("x,c,label\n,,a\n3,u,b\n", {.schema = &schema});
  EXPECT_EQ(features(test), (std::vector<double>{2, 0, 0, 3, 1, 0}));
  EXPECT_TRUE(has_note(test, {"column 'x'", "1 value is missing", "training mean"}));
}

TEST(ReadTable, ColumnsOfAnArrayStandAsTheyAre) {
  EXPECT_FALSE(read("1,2\n3,4\n", {.features = 2}).has_labels());
  const Dataset labelled = read("1,2,a\n1,4,b\n", {.features = 2});
  EXPECT_TRUE(labelled.has_labels());
  EXPECT_EQ(labelled.features, 2U);  // also the constant one
  expect_error<InputError>([] { read("1,2,3,4\n", {.features = 2}); }, {"4 columns", "2 features"});
  expect_error<InputError>([] { read("1,2\n,4\n", {.features = 2}); }, {"value is missing"});
}

TEST(ReadTable, RowsWithoutALabel) {
  const std::string text = "x,label\n1,a\n2,\n3,b\n";
  expect_error<InputError>([&] { read(text); },
                           {"line 3", "label is missing", "1 of 3", "--drop-unlabelled"});
  const Dataset data = read(text, {.drop_unlabelled = true});
  EXPECT_EQ(features(data), (std::vector<double>{1, 3}));
  EXPECT_TRUE(has_note(data, {"rows without a label are left out: 1"}));
  // A word may be a class, also one that means a missing value elsewhere.
  EXPECT_EQ(read("x,label\n1,None\n2,NA\n").class_names, (Names{"NA", "None"}));
}

TEST(ReadTable, NothingToLearnFrom) {
  std::string text = "id,same,label\n";
  for (int i = 0; i < 30; ++i) {
    text += "P" + std::to_string(i) + ",7," + (i % 2 == 0 ? "a\n" : "b\n");
  }
  expect_error<InputError>([&] { read(text); },
                           {"zero features", "'id': identifier", "'same': constant", "--columns"});
  expect_error<InputError>([] { read("one\ntwo\n"); }, {"zero features", "one column"});
}

TEST(ReadTable, RaggedRowNamesItsLineUnlessTheFileWasCutOff) {
  expect_error<InputError>([] { read("1,2,3\n4,5,6\n7,8\n"); },
                           {"t.csv", "line 3", "2 columns", "3"});
  expect_error<InputError>([] { read("1,2,3\n4,5,6,7\n"); }, {"line 2", "4 columns", "3"});
  const Dataset cut = read("1,2,3\n4,5,6\n7,8");
  EXPECT_EQ(cut.samples, 2U);
  EXPECT_TRUE(has_note(cut, {"last line is incomplete"}));
}

TEST(ReadTable, InfiniteNumbersNameLineAndColumn) {
  for (const char* bad : {"inf", "-Infinity", "1e999"}) {
    expect_error<InputError>([&] { read(std::string("x,label\n1,a\n") + bad + ",b\n"); },
                             {"line 3", "'x'", bad, "finite", "--missing"});
  }
}

TEST(ReadTable, LineNumbersCountLinesInQuotes) {
  expect_error<InputError>([] { read("1,\"a\nb\"\ninf,c\n3,d\n"); }, {"line 3", "'column 1'"});
}

TEST(ReadTable, KindsThatCannotBe) {
  expect_error<InputError>([] { read("x,label\n1,a\nred,b\n", {.columns = "number:x"}); },
                           {"line 3", "'x'", "'red'", "not a number"});
  expect_error<InputError>([] { read("x,label\n1,a\n2,b\n", {.columns = "date:x"}); },
                           {"line 2", "'1'", "not a date"});
  expect_error<InputError>([] { read("x,label\n1,a\n2,b\n", {.columns = "colour:x"}); },
                           {"--columns colour:x", "KIND"});
  expect_error<InputError>([] { read("x,label\n1,a\n2,b\n", {.columns = "number:z"}); },
                           {"--columns z", "no column", "x, label"});
}

}  // namespace
}  // namespace dnn
