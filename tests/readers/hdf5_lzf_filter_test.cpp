#include "dnn/readers/hdf5_lzf_filter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dnn {
namespace {

/// What data unpack to in so many bytes of room; "damaged".
std::string unpacked(const std::string& packed, std::size_t room = 100) {
  std::string text(room, '?');
  const auto size =
      unpack_lzf(std::as_bytes(std::span(packed)), std::as_writable_bytes(std::span(text)));
  return size ? text.substr(0, *size) : "damaged";
}

TEST(Lzf, LiteralsAndRepetitions) {
  using namespace std::string_literals;
  EXPECT_EQ(unpacked(""), "");
  EXPECT_EQ(unpacked("\2abc"), "abc");
  // 3 + 1 bytes from 3 back.
  EXPECT_EQ(unpacked("\2abc"s + "\x40\x02"), "abcabca");
  // 8 + 5 bytes from 1 back, which are written while they are read.
  EXPECT_EQ(unpacked("\x00x\xe0\x04\x00"s, 14), "xxxxxxxxxxxxxx");
}

TEST(Lzf, DamagesAreFound) {
  using namespace std::string_literals;
  EXPECT_EQ(unpacked("\x05"
                     "abc"),
            "damaged");                               // bytes are missing
  EXPECT_EQ(unpacked("\2abc"s + "\x40"), "damaged");  // of a repetition
  EXPECT_EQ(unpacked("\x00x\xe0\x04"s), "damaged");
  EXPECT_EQ(unpacked("\2abc"s + "\x40\x03"), "damaged");     // from before the beginning
  EXPECT_EQ(unpacked("\2abc"s + "\x40\x02", 6), "damaged");  // no room
  EXPECT_EQ(unpacked("\x02"
                     "abc",
                     2),
            "damaged");
}

}  // namespace
}  // namespace dnn
