#include "dnn/checkpoint/element_runs.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <utility>

namespace dnn {
namespace {

using Block = ElementRuns::Block;
using Runs = std::vector<std::pair<std::size_t, std::size_t>>;

ElementRuns made_of(const Runs& runs) {
  ElementRuns made;
  for (const auto& [first, length] : runs) {
    made.add(first, length);
  }
  return made;
}

/// Reads a text; the stream says whether it is one.
std::pair<ElementRuns, bool> read(const std::string& text, std::size_t elements) {
  std::istringstream stream(text);
  ElementRuns runs = ElementRuns::read(stream, elements);
  return {std::move(runs), !stream.fail()};
}

TEST(ElementRuns, WhatLiesSideBySideIsOneRun) {
  const ElementRuns runs = made_of({{3, 2}, {5, 4}, {9, 0}, {9, 1}});
  EXPECT_EQ(runs.blocks(), (std::vector<Block>{{3, 7, 0, 1}}));
  EXPECT_EQ(runs.size(), 7U);
  EXPECT_FALSE(runs.empty());
  EXPECT_TRUE(made_of({{4, 0}}).empty());
}

TEST(ElementRuns, ColumnsOfAMatrixAreOneBlock) {
  // The end of a row of 10, columns 2 to 5 of four more, the beginning of another; then elsewhere.
  const Runs given = {{3, 3}, {12, 4}, {22, 4}, {32, 4}, {42, 4}, {52, 1}, {90, 4}};
  const ElementRuns runs = made_of(given);
  EXPECT_EQ(runs.blocks(),
            (std::vector<Block>{{3, 3, 0, 1}, {12, 4, 10, 4}, {52, 1, 0, 1}, {90, 4, 0, 1}}));
  EXPECT_EQ(runs.size(), 24U);
  Runs visited;
  runs.for_each_run(
      [&](std::size_t first, std::size_t length) { visited.emplace_back(first, length); });
  EXPECT_EQ(visited, given);
}

TEST(ElementRuns, RunsInAnyOrderStayInIt) {
  const Runs given = {{20, 2}, {10, 2}, {0, 2}, {5, 2}, {10, 2}, {14, 2}};
  Runs visited;
  made_of(given).for_each_run(
      [&](std::size_t first, std::size_t length) { visited.emplace_back(first, length); });
  EXPECT_EQ(visited, given);
}

TEST(ElementRuns, ComeBackFromText) {
  const ElementRuns runs = made_of({{3, 3}, {12, 4}, {22, 4}, {32, 4}});
  std::ostringstream text;
  runs.write(text);
  EXPECT_EQ(text.str(), "2 3 3 0 1 12 4 10 3");
  const auto [again, good] = read(text.str(), 36);
  EXPECT_TRUE(good);
  EXPECT_EQ(again.blocks(), runs.blocks());
  EXPECT_EQ(again.size(), runs.size());
}

TEST(ElementRuns, NonsenseIsRefused) {
  constexpr std::size_t elements = 36;
  EXPECT_TRUE(read("1 0 36 0 1", elements).second);
  const std::string most = std::to_string(std::numeric_limits<std::size_t>::max());
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("1"), std::string("1 0 1 0"),
        std::string("1 0 37 0 1"),           // too long
        std::string("1 36 1 0 1"),           // beyond
        std::string("1 0 0 0 1"),            // nothing
        std::string("1 0 4 8 0"),            // no runs
        std::string("1 0 4 8 6"),            // the last is beyond
        std::string("1 0 4 3 2"),            // they meet
        std::string("1 0 4 0 2"),            // they are the same
        std::string("1 0 4 1 1"),            // a stride to nowhere
        std::string("2 0 20 0 1 0 20 0 1"),  // more than there are
        most + " 0 1 0 1",                   // fewer than promised
        "1 " + most + " 1 0 1", "1 0 " + most + " 0 1", "1 1 1 " + most + " 2",
        "1 0 1 1 " + most}) {
    EXPECT_FALSE(read(text, elements).second) << text;
  }
}

}  // namespace
}  // namespace dnn
