#include "dnn/options/config_file.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using Values = std::vector<std::string>;

/// The values of the only key, k.
Values read(const std::string& text) {
  std::istringstream stream(text);
  const auto items = ConfigFile().from_config(stream);
  EXPECT_EQ(items.size(), 1U) << text;
  EXPECT_EQ(items.at(0).name, "k") << text;
  return items.at(0).inputs;
}

void is_refused(const std::string& text, std::initializer_list<const char*> parts) {
  std::istringstream stream(text);
  test::expect_error<InputError>([&] { (void)ConfigFile().from_config(stream); }, parts);
}

TEST(ConfigFile, Values) {
  EXPECT_EQ(read("k = 3"), Values{"3"});
  EXPECT_EQ(read("# comment\n\n  k=true # yes\r\n"), Values{"true"});
  EXPECT_EQ(read("\"k\" = \"a # b, [c] 'd'\" # comment"), Values{"a # b, [c] 'd'"});
  EXPECT_EQ(read("k = 'C:\\new \"x\"'"), Values{"C:\\new \"x\""});
  EXPECT_EQ(read("k = \"\\\"\\\\\\t\\u00e9\\U0001F600\""),
            Values{"\"\\\t\xc3\xa9\xf0\x9f\x98\x80"});
  EXPECT_EQ(read("# \xc3\xa9\nk = \"\\\"\xc3\xa9\" # '\xc3\xa9"), Values{"\"\xc3\xa9"});
  EXPECT_EQ(read("k = \"\"\"\xc3\xa9\n~\"\"\""), Values{"\xc3\xa9\n~"});
  EXPECT_EQ(read("k = -1_000"), Values{"-1000"});
  EXPECT_EQ(read("k = 1e-3"), Values{"0.001"});
}

TEST(ConfigFile, Arrays) {
  EXPECT_EQ(read("k = [1, \"two, three\", 4]"), (Values{"1", "two, three", "4"}));
  EXPECT_EQ(read("k = [ # first to last\n  1,\n  2, # two\n]\n"), (Values{"1", "2"}));
  EXPECT_EQ(read("k = []"), Values{});
}

TEST(ConfigFile, WhatCannotBeReadIsRefusedWithItsLine) {
  is_refused("a = 1\n[train]\n", {"line 2", "'train'", "sections"});
  is_refused("a = 1\nb = 1979-05-27\n", {"line 2", "'b'", "a number"});
  is_refused("a = 1\nb = [[1], 2]\n", {"line 2", "'b'"});
  is_refused("a = 1\nb = 2\na = 3\n", {"line 3", "'a'"});
  is_refused("a = 1\nquiet\n", {"line 2"});
  is_refused("a = 1\n\"\" = 2\n", {"line 2", "no letters"});
  is_refused("a = adam\n", {"line 1", "quotes"});
  is_refused("a =\n", {"line 1"});
  is_refused("a = \"b\n", {"line 1"});
  is_refused("a = \"b\" c\n", {"line 1"});
  is_refused("a = [1, 2\nb = 3\n", {"line 2"});
  is_refused("a = \"\\q\"", {"line 1", "escape"});
  is_refused(std::string("a\0 = 1", 6), {"line 1"});
  is_refused("a = 1\nb = 0_\"\xef\xbb\xbd\"\n", {"line 2"});
  is_refused("a = 1\n\xc3\xa9 = 1\n", {"line 2"});
  is_refused("a = 1\nb = '\xc3\xa9' \xd2\x99\n", {"line 2"});
  is_refused("a = '\xc3\xa9\n\xc3\xa9", {"line 1"});
  is_refused("a = " + std::string(2 << 20, '1'), {"1 MiB"});
}

TEST(ConfigFile, EveryStringComesBack) {
  std::string all;
  for (int c = 1; c < 256; ++c) {
    all += static_cast<char>(c);
  }
  EXPECT_EQ(read("k = " + toml_string(all)), Values{all});
  EXPECT_EQ(read("k = '~/~7e~~'"), Values{"~/~7e~~"});
}

}  // namespace
}  // namespace dnn
