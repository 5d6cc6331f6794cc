#include "dnn/core/messages.hpp"

#include <gtest/gtest.h>

namespace dnn {
namespace {

TEST(Messages, PrintableTextHoldsNothingThatATerminalObeys) {
  EXPECT_EQ(printable("plain, \t tab\nline"), "plain, \t tab\nline");
  EXPECT_EQ(printable("\x1b[31mred\x07\r\x7f"), "\\x1b[31mred\\x07\\x0d\\x7f");
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

}  // namespace
}  // namespace dnn
