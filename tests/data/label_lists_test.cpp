#include "dnn/data/label_lists.hpp"

#include <gtest/gtest.h>

namespace dnn {
namespace {

using Texts = std::vector<std::string>;

TEST(LabelLists, OfACellAreWhatStandsBetweenSeparators) {
  EXPECT_EQ(labels_in("dark; red ;round", ";"), (Texts{"dark", "red", "round"}));
  EXPECT_EQ(labels_in("dark", ";"), Texts{"dark"});
  EXPECT_EQ(labels_in(";dark;;", ";"), Texts{"dark"});
  EXPECT_EQ(labels_in("", ";"), Texts{});
  EXPECT_EQ(labels_in(" ; ", ";"), Texts{});
  EXPECT_EQ(labels_in("a::b::c", "::"), (Texts{"a", "b", "c"}));
}

TEST(LabelLists, NamesAreSortedAsNumbersWhereTheyAre) {
  LabelNames numbers;
  for (const char* name : {"10", "9", "10", "-1"}) {
    (void)numbers.number_of(name);
  }
  EXPECT_EQ(numbers.sorted().names, (Texts{"-1", "9", "10"}));
  EXPECT_EQ(numbers.sorted().places, (std::vector<std::size_t>{2, 1, 0}));
  LabelNames texts;
  for (const char* name : {"9", "b", "10"}) {
    (void)texts.number_of(name);
  }
  EXPECT_EQ(texts.sorted().names, (Texts{"10", "9", "b"}));
  EXPECT_EQ(texts.sorted().places, (std::vector<std::size_t>{1, 2, 0}));
}

}  // namespace
}  // namespace dnn
