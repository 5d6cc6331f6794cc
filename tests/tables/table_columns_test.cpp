// What a table's columns are taken for.

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "tables/table_text.hpp"

namespace dnn {
namespace {

using test::column;
using test::column_of;
using test::expect_error;
using test::features;
using test::has_note;
using test::Names;
using test::read;
using test::targets;

TEST(TableColumns, CategoriesHaveAnInputEach) {
  const Dataset data = read("colour,fresh,label\nred,True,a\nblue,False,b\nred,False,a\n");
  EXPECT_EQ(data.features, 4U);
  EXPECT_EQ(data.feature_names,
            (Names{"colour = blue", "colour = red", "fresh = False", "fresh = True"}));
  EXPECT_EQ(features(data), (std::vector<double>{0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0}));
}

TEST(TableColumns, RareCategoriesShareAnInput) {
  const Dataset data =
      read("c,label\nx,a\ny,b\nx,a\nz,b\ny,a\n", {.label_column = "label", .max_categories = 1});
  EXPECT_EQ(column(data, "c").categories, (Names{"x"}));
  EXPECT_EQ(column(data, "c").other_count, 3U);
  EXPECT_EQ(features(data), (std::vector<double>{1, 0, 0, 1, 1, 0, 0, 1, 0, 1}));
}

TEST(TableColumns, AmongManyCategoriesThoseOfASingleRowShareAnInput) {
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

TEST(TableColumns, TenMillionValuesAreNoCategories) {
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

TEST(TableColumns, MissingValuesAreMarked) {
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

TEST(TableColumns, AFewWordsAmongNumbersAreMissingValues) {
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

/// Rows of "x,y,label": `rows` different numbers, but for the cells that `others` says by their
/// row.
std::string measured(std::size_t rows, const std::map<std::size_t, std::string>& others) {
  std::string text = "x,y,label\n";
  for (std::size_t i = 0; i < rows; ++i) {
    const auto other = others.find(i);
    text += (other != others.end() ? other->second : std::to_string(i * 37 % 1009) + ".5") + "," +
            std::to_string(i * i % 7) + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  return text;
}

TEST(TableColumns, NumbersThatTextMakesIdentifiersAreTold) {
  const Dataset marked = read(measured(400, {{49, "1.2*"}, {119, "1.3*"}, {299, "1.4*"}}));
  EXPECT_EQ(column(marked, "x").kind, ColumnKind::identifier);
  EXPECT_TRUE(has_note(marked, {"'x' is left out as an identifier", "397 of its 400 cells",
                                "'1.2*' in line 51.", "--missing"}));
  // The first word may come late, and in another file.
  const Dataset late = read(measured(400, {{250, "low"}, {251, "mid"}, {252, "high"}}));
  EXPECT_TRUE(has_note(late, {"397 of its 400 cells", "'low' in line 252."}));
  const std::string parts[] = {measured(30, {}), measured(400, {{0, "a"}, {1, "b"}, {2, "c"}})};
  const TableText texts[] = {{std::as_bytes(std::span(parts[0])), "1.csv"},
                             {std::as_bytes(std::span(parts[1])), "2.csv"}};
  EXPECT_TRUE(has_note(read_table_parts(texts, "*.csv", {.columns = "category:y"}),
                       {"*.csv: column 'x'", "427 of its 430 cells", "'a' in 2.csv: line 2."}));
  // More different texts than are kept.
  const Dataset many = read([] {
    std::string text = "x,y,label\n";
    for (int i = 0; i < 70'000; ++i) {
      text += std::to_string(i) + (i == 100 ? ".5*" : ".5") + "," + std::to_string(i % 7) +
              (i % 2 == 0 ? ",a\n" : ",b\n");
    }
    return text + "low,1,a\nhigh,2,b\n";
  }());
  EXPECT_TRUE(has_note(many, {"too many different values", "199 of its first 200 cells are numbers",
                              "'100.5*' in line 102."}));
  // With other text, the note is shorter.
  const Dataset units = read(measured(30, [] {
    std::map<std::size_t, std::string> cells;
    for (std::size_t i = 0; i < 30; ++i) {
      cells[i] = std::to_string(i) + " mg";
    }
    return cells;
  }()));
  EXPECT_TRUE(has_note(units, {"30 different values in 30 rows, such as '0 mg' in line 2",
                               "--columns category:NAME"}));
  EXPECT_FALSE(has_note(units, {"are numbers"}));
  EXPECT_FALSE(has_note(read(measured(400, {})), {"column"}));
}

TEST(TableColumns, WordsThatCountAsMissingValuesAreTold) {
  const std::string one = measured(400, {{99, "Total"}});
  EXPECT_TRUE(has_note(read(one), {"'x'", "'Total' is no number and counts as a missing value",
                                   "in 1 of 400 rows", "line 101", "--missing"}));
  EXPECT_FALSE(has_note(read(one, {.missing = "Total"}), {"column"}));
  EXPECT_TRUE(has_note(read(measured(400, {{99, "low"}, {300, "high"}, {310, "low"}})),
                       {"'low' and 'high' are no numbers", "in 3 of 400 rows", "line 101"}));
}

TEST(TableColumns, NotesOnColumnsAreFew) {
  std::string text;
  for (int j = 0; j < 9; ++j) {
    text += "id" + std::to_string(j) + ",";
  }
  text += "x,label\n";
  for (int i = 0; i < 40; ++i) {
    for (int j = 0; j < 9; ++j) {
      text += (j < 8 || i % 10 == 3 ? "P" : "") + std::to_string(i) + ",";
    }
    text += std::to_string(i % 7) + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  const Dataset data = read(text);
  const auto about_columns = [](const std::string& note) {
    return note.find("is left out") != std::string::npos;
  };
  EXPECT_EQ(std::count_if(data.notes.begin(), data.notes.end(), about_columns), 5);
  EXPECT_TRUE(has_note(data, {"'id8'", "36 of its 40 cells", "'P3' in line 5."}));  // told first
  EXPECT_TRUE(has_note(data, {"and 4 more columns like these"}));
}

TEST(TableColumns, DatesBecomeTimesAndCycles) {
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
  EXPECT_FALSE(has_note(day_first, {"January 2"}));
  // Where nothing says which, the remark does.
  const Dataset either = read(column_of({"01/02/2024", "03/04/2024", "05/12/2024", "05/06/2024"}));
  EXPECT_EQ(column(either, "x").largest, 86400.0 * 19855);  // May 12
  EXPECT_NE(column(either, "x").remark.find("01/02 is taken for January 2"), std::string::npos);
  EXPECT_TRUE(has_note(either, {"column 'x': 01/02 is taken for January 2",
                                "--columns day-first-date:x: February 1"}));
  const Dataset mirrored = read(column_of({"03/04/2024", "04/03/2024"}));
  EXPECT_NE(column(mirrored, "x").remark.find("01/02 is taken for January 2"), std::string::npos);
}

TEST(TableColumns, IdentifiersAndConstantsAreLeftOut) {
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

TEST(TableColumns, AShuffledIndexIsLeftOut) {
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

TEST(TableColumns, LargeNumbersKeepTheirLastDigits) {
  const Dataset data = read("t,label\n1700000021,a\n1700000022,b\n1700000023,a\n");
  EXPECT_EQ(data.element, ElementType::f64);
  EXPECT_EQ(features(data), (std::vector<double>{1700000021, 1700000022, 1700000023}));
}

TEST(TableColumns, TheSmallestTypeHoldsTheValues) {
  EXPECT_EQ(read("0,a\n255,b\n").element, ElementType::u8);
  EXPECT_EQ(read("0,a\n256,b\n").element, ElementType::f32);
  EXPECT_EQ(read("0.1,a\n0.2,b\n").element, ElementType::f32);
  EXPECT_EQ(read("0.1,a\n0.2,b\n", {.wide = true}).element, ElementType::f64);
}

TEST(TableColumns, AColumnOfWeightsIsNoFeature) {
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

TEST(TableColumns, WeightsThatAreNoneNameLineColumnAndCell) {
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

TEST(TableColumns, TargetsAreRowsOfNumbers) {
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

TEST(TableColumns, TargetsThatATaskDoesNotHave) {
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

TEST(TableColumns, DatesOfManyYearsKeepTheirDay) {
  std::string text = "when,label\n";
  for (int year = 2000; year < 2099; ++year) {
    text += std::to_string(year) + "-05-01," + (year % 2 == 0 ? "a\n" : "b\n");
  }
  const Dataset data = read(text);
  EXPECT_EQ(data.element, ElementType::f64);
  EXPECT_FALSE(column(data, "when").month);
}

TEST(TableColumns, WhatColumnsSayDecidesTheLabelToo) {
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

TEST(TableColumns, NothingToLearnFrom) {
  std::string text = "id,same,label\n";
  for (int i = 0; i < 30; ++i) {
    text += "P" + std::to_string(i) + ",7," + (i % 2 == 0 ? "a\n" : "b\n");
  }
  expect_error<InputError>([&] { read(text); },
                           {"zero features", "'id': identifier", "'same': constant", "--columns"});
  expect_error<InputError>([] { read("one\ntwo\n"); }, {"zero features", "one column"});
}

TEST(TableColumns, KindsThatCannotBe) {
  expect_error<InputError>([] { read("x,label\n1,a\nred,b\n", {.columns = "number:x"}); },
                           {"line 3", "'x'", "'red'", "not a number"});
  expect_error<InputError>([] { read("x,label\n1,a\n2,b\n", {.columns = "date:x"}); },
                           {"line 2", "'1'", "not a date"});
  expect_error<InputError>([] { read("x,label\n1,a\n2,b\n", {.columns = "colour:x"}); },
                           {"--columns colour:x", "KIND"});
  expect_error<InputError>([] { read("x,label\n1,a\n2,b\n", {.columns = "number:z"}); },
                           {"--columns z", "no column", "x, label", "a number"});
  expect_error<InputError>([] { read("\"a\nb\",label\n1,a\n2,b\n", {.columns = "number:z"}); },
                           {"the columns are a\\nb, label"});
}

TEST(TableColumns, TwoKindsForOneColumn) {
  const std::string text = "x,z,label\n1,3,a\n2,4,b\n3,4,b\n";
  expect_error<InputError>([&] { read(text, {.columns = "weight:x;ignore:1"}); },
                           {"'1'", "two kinds"});
  EXPECT_EQ(read(text, {.columns = "number:x;number:x"}).samples, 3U);
  expect_error<InputError>(
      [&] { read(text, {.label_column = "label", .columns = "ignore:label"}); },
      {"--label-column label", "--columns ignore:label", "contradict", "'label'"});
  expect_error<InputError>([&] { read(text, {.label_column = "label", .columns = "label:x"}); },
                           {"--label-column label", "contradict", "'x'"});
  EXPECT_EQ(read(text, {.label_column = "label", .columns = "label:label;ignore:z"}).features, 1U);
}

}  // namespace
}  // namespace dnn
