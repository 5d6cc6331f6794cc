#include "dnn/core/sum_tree.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dnn {
namespace {

/// The additions of a node's sum in words, as its definition says.
std::string words(Range node) {
  if (node.size() == 1) {
    return std::to_string(node.begin);
  }
  const std::size_t middle = right_child(node);
  return "(" + words({node.begin, middle}) + "+" + words({middle, node.end}) + ")";
}

TEST(SumTree, LeftChildrenHaveTheLargestPowerOfTwo) {
  EXPECT_EQ(words({0, 1}), "0");
  EXPECT_EQ(words({0, 3}), "((0+1)+2)");
  EXPECT_EQ(words({0, 8}), "(((0+1)+(2+3))+((4+5)+(6+7)))");
  EXPECT_EQ(words({8, 14}), "(((8+9)+(10+11))+(12+13))");
}

TEST(SumTree, AStackOfLeavesMakesTheSameAdditions) {
  for (std::size_t leaves = 1; leaves < 70; ++leaves) {
    std::vector<std::string> stack;
    for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
      std::string sum = std::to_string(leaf);
      for (std::size_t i = additions_after(leaf, leaves); i-- > 0;) {
        ASSERT_FALSE(stack.empty());
        sum = "(" + stack.back() + "+" + sum + ")";
        stack.pop_back();
      }
      stack.push_back(sum);
    }
    ASSERT_EQ(stack.size(), 1U);
    EXPECT_EQ(stack.front(), words({0, leaves}));
  }
}

TEST(SumTree, NodesCoverWhatTheyShouldAndAreTheLargest) {
  for (std::size_t leaves = 1; leaves < 20; ++leaves) {
    const std::string tree = words({0, leaves});
    for (std::size_t begin = 0; begin <= leaves; ++begin) {
      for (std::size_t end = begin; end <= leaves; ++end) {
        std::size_t next = begin;
        std::string before;
        for (const Range node : tree_nodes(leaves, {begin, end})) {
          EXPECT_EQ(node.begin, next);
          next = node.end;
          EXPECT_NE(tree.find(words(node)), std::string::npos);
          EXPECT_EQ(tree.find("(" + before + "+" + words(node) + ")"), std::string::npos);
          before = words(node);
        }
        EXPECT_EQ(next, end);
      }
    }
  }
}

}  // namespace
}  // namespace dnn
