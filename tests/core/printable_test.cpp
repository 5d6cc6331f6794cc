#include "dnn/core/printable.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "dnn/core/error.hpp"

namespace dnn {
namespace {

TEST(Printable, TextHoldsNothingThatATerminalObeys) {
  EXPECT_EQ(printable("plain, \t tab\nline"), "plain, \t tab\nline");
  EXPECT_EQ(printable("\x1b[31mred\x07\r\x7f"), "\\x1b[31mred\\x07\\r\\x7f");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("Gr\xc3\xb6\xc3\x9f"
                      "e \xe6\xbc\xa2 \xf0\x9f\x98\x80"),
            "Gr\xc3\xb6\xc3\x9f"
            "e \xe6\xbc\xa2 \xf0\x9f\x98\x80");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m");  // CSI of C1
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "evil"),
            "\\u202eevil");  // right to left
  EXPECT_EQ(printable("\xff\xc3(\xc0\xaf\xed\xa0\x80"), "\\xff\\xc3(\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xe6\xbc"), "\\xe6\\xbc");  // cut off
}

TEST(Printable, ANameStaysOnItsLine) {
  EXPECT_EQ(printable_name("a\tb\r\nc\x1b\xff"), "a\\tb\\r\\nc\\x1b\\xff");
  EXPECT_EQ(printable_name("Gr\xc3\xb6\xc3\x9f"
                           "e"),
            "Gr\xc3\xb6\xc3\x9f"
            "e");
  EXPECT_STREQ(FileError("read the file", "a\nb", ENOENT).what(),
               "cannot read the file: a\\nb: No such file or directory");
}

TEST(Printable, ABeginningEndsWhereACharacterDoes) {
  const std::string four = "\xf0\x9f\x98\x80";
  EXPECT_EQ(beginning_of("abc", 3), "abc");
  EXPECT_EQ(beginning_of("abcd", 3), "abc");
  EXPECT_EQ(beginning_of("x" + four, 4), "x");
  EXPECT_EQ(beginning_of("x" + four, 5), "x" + four);
  EXPECT_EQ(beginning_of(four + four, 5), four);
  EXPECT_EQ(beginning_of(four, 2), "");
  EXPECT_EQ(beginning_of("\xe2\x82\xac\xe2\x82\xac", 5), "\xe2\x82\xac");
  EXPECT_EQ(beginning_of("\xff\xff\xff\xff\xff", 4), "\xff\xff\xff\xff");
}

TEST(InQuotes, ShowsTheBeginningEscaped) {
  EXPECT_EQ(in_quotes("red"), "'red'");
  EXPECT_EQ(in_quotes(""), "''");
  EXPECT_EQ(in_quotes("a\x1b[1m\n\x7f"), "'a\\x1b[1m\\n\\x7f'");
  EXPECT_EQ(in_quotes("\xc3\xa9"), "'\xc3\xa9'");
  EXPECT_EQ(in_quotes(std::string(1000, 'x')), "'" + std::string(60, 'x') + "...'");
  std::string euros = "y";
  for (int i = 0; i < 30; ++i) {
    euros += "\xe2\x82\xac";
  }
  EXPECT_EQ(in_quotes(euros), "'" + euros.substr(0, 58) + "...'");
}

}  // namespace
}  // namespace dnn
