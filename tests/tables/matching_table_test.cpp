// Tables that have to match a schema, and tables in pieces.

#include <gtest/gtest.h>

#include <algorithm>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "tables/table_text.hpp"

namespace dnn {
namespace {

using test::column_of;
using test::expect_error;
using test::features;
using test::has_note;
using test::Names;
using test::read;
using test::targets;

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

TEST(MatchingTable, TargetsAreFoundByNameInAnyOrder) {
  const std::string text = "large,round,x\n1,0,3\n0,1,4\n0,0,5\n";
  const Dataset train = read(text, {.task = Task::labels, .label_column = "large,round"});
  const Dataset test =
      read(text, {.task = Task::labels, .label_column = "round,large", .schema = &train.schema});
  EXPECT_EQ(test.class_names, train.class_names);
  EXPECT_EQ(targets(test), targets(train));
}

TEST(MatchingTable, PiecesAreTheTable) {
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

TEST(MatchingTable, AKeptColumnMayBeGivenByItsNumber) {
  const Dataset train = read("x,label\n1,a\n2,b\n", {.label_column = "label"});
  const Dataset test =
      read("\"price, EUR\",x,label\n5.10,1,a\n7,2,b\n", {.keep = {"1"}, .schema = &train.schema});
  EXPECT_EQ(test.kept(1, 0), "7");
}

TEST(MatchingTable, LabelsThatTheModelLacksAreToldAndNoneCompared) {
  const Dataset train = read("x,label\n1,1\n2,2\n", {.label_column = "label"});
  const ReadOptions options{
      .keep = {"x"}, .schema = &train.schema, .features = 1, .classes = &train.class_names};
  EXPECT_TRUE(read("x,label\n1,1.0\n2,02\n", options).has_labels());
  const std::string text = "x,label\n1000000,1\n2000000,7\n3000000,2\n4000000,9\n";
  const std::vector<TableText> texts = {{std::as_bytes(std::span(text)), "t.csv"}};
  const Dataset whole = read_table_parts(texts, "t.csv", options);
  EXPECT_FALSE(whole.has_labels());
  EXPECT_EQ(whole.samples, 4U);
  EXPECT_TRUE(has_note(whole, {"t.csv: 2 of 4 labels are unknown to the model", "'7'", "none"}));
  EXPECT_GE(read_pieces(texts, options, 1, whole), 2U);

  const Dataset lists = read("x,tags\n1,a;b\n2,b\n", {.task = Task::labels});
  const ReadOptions of_lists{
      .task = Task::labels, .schema = &lists.schema, .features = 1, .classes = &lists.class_names};
  EXPECT_TRUE(read("x,tags\n1,b;a\n2,\n", of_lists).has_labels());
  const Dataset other = read("x,tags\n1,b;c\n2,a\n", of_lists);
  EXPECT_FALSE(other.has_labels());
  EXPECT_TRUE(has_note(other, {"1 of 2 labels is unknown", "'c'"}));
}

TEST(MatchingTable, ATestTableIsMatchedByName) {
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
  expect_error<InputError>([&] { read("x,Colour,label\n1,red,a\n", options); },
                           {"no column 'colour'", "'Colour' differs from 'colour' in upper"});
  expect_error<InputError>([&] { read("x,colour,label\n1,red,a\nbig,red,b\n", options); },
                           {"line 3", "'x'", "'big'", "not a number", "--missing"});
  expect_error<InputError>([&] { read("x,colour,label\n1,5,a\n2,6,b\n", options); },
                           {"'colour'", "numbers", "text in the training data"});
}

TEST(MatchingTable, ATestTableMayLackTheWeights) {
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

TEST(MatchingTable, TargetsOfATestTableAreThoseOfTheSchema) {
  const Dataset train =
      read("x,a,b\n1,2,3\n4,5,6\n", {.task = Task::numbers, .label_column = "a,b"});
  const ReadOptions options{.task = Task::numbers, .schema = &train.schema};
  EXPECT_EQ(targets(read("b,x,a\n9,1,8\n7,2,6\n", options)), (std::vector<double>{8, 9, 6, 7}));
  expect_error<InputError>([&] { read("b,x\n9,1\n", options); }, {"1 of the 2 target columns"});
  const ReadOptions model{.task = Task::numbers, .schema = &train.schema, .features = 1};
  const Dataset none = read("x\n1\n", model);
  EXPECT_FALSE(none.has_labels());
  EXPECT_FALSE(has_note(none, {"target columns"}));
  const Dataset some = read("b,x\n9,1\n", model);
  EXPECT_FALSE(some.has_labels());
  EXPECT_TRUE(has_note(some, {"1 of the 2 target columns", "('b'; not 'a')", "none are compared"}));
  expect_error<InputError>([&] { read("x,a,b\n1,2,red\n", options); },
                           {"line 2", "'b'", "'red'", "not a number"});
}

TEST(MatchingTable, DatesOfATestTableHaveTheTrainingOrder) {
  const Dataset train = read(column_of({"01/02/2024", "25/04/2024", "03/05/2024", "05/06/2024"}));
  const ReadOptions options{.schema = &train.schema};
  EXPECT_EQ(features(read("x,label\n01/02/2024,a\n", options))[0], 86400.0 * 19754);  // February
  EXPECT_TRUE(has_note(read("x,label\n01/02/2024,a\n", options),
                       {"column 'x'", "01/02 is taken for February 1", "January 2 as well"}));
  const Dataset turned = read("x,label\n01/22/2024,a\n", options);
  EXPECT_EQ(features(turned)[0], 86400.0 * 19744);
  EXPECT_TRUE(has_note(turned, {"column 'x'", "the month first", "have the day first"}));
  for (const char* clear : {"2024-02-01", "22/01/2024"}) {
    EXPECT_TRUE(read("x,label\n" + std::string(clear) + ",a\n", options).notes.empty()) << clear;
  }
  EXPECT_EQ(features(read("x,label\n2024-02-01,a\n", options))[0], 86400.0 * 19754);
  // A user has been told of training dates that may be either.
  const Dataset either = read(column_of({"01/02/2024", "03/04/2024", "05/12/2024", "05/06/2024"}));
  EXPECT_TRUE(read("x,label\n01/02/2024,a\n", {.schema = &either.schema}).notes.empty());
  expect_error<InputError>([&] { read("x,label\n01/22/2024,a\n22/01/2024,b\n", options); },
                           {"line 3", "'x'", "'22/01/2024' is not a date"});
}

TEST(MatchingTable, AFeatureIsNoLabelOfATestTable) {
  const Dataset train = read("x,flag,label\n1,0,a\n2,1,b\n3,0,a\n");
  expect_error<InputError>(
      [&] { read("label,x,flag\na,1,1\n", {.label_column = "last", .schema = &train.schema}); },
      {"--label-column last", "'flag' is a feature"});
}

TEST(MatchingTable, UnknownValuesAreToldWhereRareOnesShareAnInput) {
  const Dataset train =
      read("c,label\nx,a\ny,b\nx,a\nz,b\n", {.label_column = "label", .max_categories = 1});
  const Dataset test = read("c,label\nw,a\nx,b\n", {.schema = &train.schema});
  EXPECT_TRUE(has_note(test, {"'c' has 1 value", "'w'", "share the input of rarer values"}));
}

TEST(MatchingTable, WithoutNamesATestTableIsMatchedByPlace) {
  const Dataset train = read("1,red,a\n2,blue,b\n3,red,a\n");
  const ReadOptions options{.schema = &train.schema};
  EXPECT_EQ(features(read("2,blue,b\n", options)), (std::vector<double>{2, 1, 0}));
  EXPECT_FALSE(read("2,blue\n1,red\n", options).has_labels());
  expect_error<InputError>([&] { read("1,2,3,4\n5,6,7,8\n", options); },
                           {"4 columns", "the training data have 3"});
}

TEST(MatchingTable, MissingValuesThatTheTrainingDataDoNotHave) {
  const Dataset train = read("x,c,label\n1,u,a\n2,v,b\n3,u,a\n");
  TableSchema schema = train.schema;
  schema.columns[0].fill = 2;
  const Dataset test = read("x,c,label\n,,a\n3,u,b\n", {.schema = &schema});
  EXPECT_EQ(features(test), (std::vector<double>{2, 0, 0, 3, 1, 0}));
  EXPECT_TRUE(has_note(test, {"column 'x'", "1 value is missing", "training mean"}));
}

TEST(MatchingTable, ColumnsOfAnArrayStandAsTheyAre) {
  EXPECT_FALSE(read("1,2\n3,4\n", {.features = 2}).has_labels());
  const Dataset labelled = read("1,2,a\n1,4,b\n", {.features = 2});
  EXPECT_TRUE(labelled.has_labels());
  EXPECT_EQ(labelled.features, 2U);  // also the constant one
  expect_error<InputError>([] { read("1,2,3,4\n", {.features = 2}); }, {"4 columns", "2 features"});
  expect_error<InputError>([] { read("1,2\n,4\n", {.features = 2}); }, {"value is missing"});
}

TEST(MatchingTable, RowsWithoutALabel) {
  const std::string text = "x,label\n1,a\n2,\n3,b\n";
  expect_error<InputError>([&] { read(text); },
                           {"line 3", "label is missing", "1 of 3", "--drop-unlabelled"});
  const Dataset data = read(text, {.drop_unlabelled = true});
  EXPECT_EQ(features(data), (std::vector<double>{1, 3}));
  EXPECT_TRUE(has_note(data, {"rows without a label are left out: 1"}));
  for (const bool drops : {false, true}) {
    expect_error<InputError>([&] { read("x,label\n1,\n2,\n", {.drop_unlabelled = drops}); },
                             {"label is missing", "in all 2 rows", "--label-column"});
  }
  // A word may be a class, also one that means a missing value elsewhere.
  EXPECT_EQ(read("x,label\n1,None\n2,NA\n").class_names, (Names{"NA", "None"}));
}

}  // namespace
}  // namespace dnn
