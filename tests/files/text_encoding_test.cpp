#include "dnn/files/text_encoding.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/reading_team.hpp"

namespace dnn {
namespace {

using test::expect_error;
using namespace std::string_literals;

Bytes bytes_of(const std::string& text) {
  return Bytes::from(std::vector<char>(text.begin(), text.end()));
}

DecodedText decode(const std::string& contents) {
  return decode_text(bytes_of(contents), "t.csv");
}

std::string string_of(const DecodedText& decoded) {
  return {reinterpret_cast<const char*>(decoded.text.view.data()), decoded.text.size()};
}

/// Code points as UTF-16 or UTF-32 (`unit` bytes each; no surrogates are made).
std::string encode(std::u32string_view text, std::size_t unit, bool big) {
  std::string encoded;
  for (const char32_t c : text) {
    for (std::size_t i = 0; i < unit; ++i) {
      encoded += static_cast<char>(c >> 8 * (big ? unit - 1 - i : i));
    }
  }
  return encoded;
}

void becomes(const std::string& contents, const std::string& text, const std::string& note) {
  const DecodedText decoded = decode(contents);
  EXPECT_EQ(string_of(decoded), text);
  EXPECT_EQ(decoded.note, note);
}

void refuses(const std::string& contents, std::initializer_list<const char*> parts) {
  expect_error<InputError>([&] { (void)decode(contents); }, parts);
}

const std::u32string table = U"gr\u00f6\u00dfe,\u20ac\r\n1,\u0430\n";
const std::string table_utf8 = "gr\u00f6\u00dfe,\u20ac\r\n1,\u0430\n";

TEST(TextEncoding, Utf8SharesTheMemory) {
  for (const std::string& text :
       {"a,1\r\n"s, table_utf8, std::string(100000, 'x'), std::string(100000, 'x') + "\u00e9", ""s,
        "\u0080,\u07ff,\u0800,\ud7ff,\ue000,\uffff,\U00010000,\U0010ffff"s}) {
    const Bytes contents = bytes_of(text);
    const DecodedText decoded = decode_text(contents, "t.csv");
    EXPECT_EQ(decoded.text.view.data(), contents.view.data());
    EXPECT_EQ(decoded.text.size(), contents.size());
    EXPECT_EQ(decoded.note, "");
  }
}

TEST(TextEncoding, Utf8MarkIsLeftOut) {
  const Bytes contents = bytes_of("\xef\xbb\xbf" + table_utf8);
  const DecodedText decoded = decode_text(contents, "t.csv");
  EXPECT_EQ(string_of(decoded), table_utf8);
  EXPECT_EQ(decoded.text.view.data(), contents.view.data() + 3);
  EXPECT_EQ(decoded.note, "");
  becomes("\xef\xbb\xbf", "", "");
  becomes("\xef\xbb\xbf\xef\xbb\xbfx", "x", "");
}

TEST(TextEncoding, Utf16AndUtf32) {
  const std::string utf16 = "t.csv: UTF-16 text, converted to UTF-8";
  const std::string utf32 = "t.csv: UTF-32 text, converted to UTF-8";
  for (const bool big : {false, true}) {
    becomes(encode(U"\ufeff" + table, 2, big), table_utf8, utf16);
    becomes(encode(table, 2, big), table_utf8, utf16);
    becomes(encode(U"\ufeff\ufeff" + table, 2, big), table_utf8, utf16);
    becomes(encode(U"\ufeff" + table + U"\U0001f600", 4, big), table_utf8 + "\U0001f600", utf32);
    becomes(encode(U"\ufeff", 2, big), "", utf16);
  }
  becomes("\xff\xfe\x3d\xd8\x00\xde"s, "\U0001f600", utf16);
  becomes("\xfe\xff\xd8\x3d\xde\x00"s, "\U0001f600", utf16);
  const std::u32string long_text(100000, U'\u20ac');
  EXPECT_EQ(decode(encode(U"\ufeff" + long_text, 2, false)).text.size(), 300000U);
}

TEST(TextEncoding, InvalidUtf16AndUtf32NameTheByte) {
  refuses(encode(U"\ufeff1,2", 2, false) + "x", {"t.csv", "UTF-16", "ends inside", "offset 8"});
  refuses(encode(U"1,2\n", 2, true) + '\0', {"UTF-16", "ends inside", "offset 8"});
  refuses(
      "\xff\xfe"
      "1\0"
      "\x3d\xd8"
      "2\0"s,
      {"t.csv", "invalid UTF-16", "offset 4"});
  refuses(
      "\xff\xfe"
      "1\0"
      "\x00\xde"
      "2\0"s,
      {"invalid UTF-16", "offset 4"});
  refuses("\xfe\xff\0001\0002\xd8\x3d"s, {"UTF-16", "ends inside", "offset 6"});
  refuses(
      "\xff\xfe\0\0"
      "1\0\0\0"
      "\0\xd8\0\0"s,
      {"invalid UTF-32", "offset 8"});
  refuses("\0\0\xfe\xff\0\0\0001\0\x11\0\0"s, {"invalid UTF-32", "offset 8"});
  refuses(
      "\xff\xfe"
      "1\0\0\0"
      "2\0"s,
      {"UTF-16", "NUL", "offset 1"});
  const std::string far = encode(U"\ufeff" + std::u32string(50000, U'1'), 2, false);
  refuses(far + "\x00\xde"s, {"invalid UTF-16", "offset 100002"});
}

TEST(TextEncoding, OtherTextIsWindowsOrLatin) {
  becomes(
      "gr\xf6\xdf"
      "e,1\n",
      "größe,1\n",
      "t.csv: ISO-8859-1 (Latin-1) text, converted to UTF-8 (byte offset 2 is no UTF-8)");
  becomes(
      "gr\xf6\xdf"
      "e,\x80\n",
      "größe,€\n", "t.csv: Windows-1252 text, converted to UTF-8 (byte offset 2 is no UTF-8)");
  const std::string ascii(70000, 'x');
  becomes(ascii + "é\xe9", ascii + "Ã©é",
          "t.csv: ISO-8859-1 (Latin-1) text, converted to UTF-8 (byte offset 70002 is no UTF-8)");
  refuses(
      "gr\xf6\xdf"
      "e,\x81\n",
      {"t.csv", "invalid Windows-1252", "offset 6", "no UTF-8"});
  refuses("caf\xe9\x02", {"t.csv", "binary", "offset 4"});
}

TEST(TextEncoding, BlocksOfLongText) {
  const std::string ascii(70000, 'x');
  const std::string first_block_is_not_utf8 = "\xe9" + ascii + "\u00e9";
  EXPECT_NE(decode(first_block_is_not_utf8).note.find("offset 0 is no UTF-8"), std::string::npos);
  const std::string over_the_end_of_a_block = ascii.substr(0, 16383) + "\u00e9" + ascii + "\u00e9";
  EXPECT_EQ(decode(over_the_end_of_a_block).note, "");
}

TEST(TextEncoding, WhatUtf8DoesNotAllow) {
  for (const std::string& bad : {"\xc0\xaf"s, "\xe0\x9f\xbf"s, "\xed\xa0\xbd"s, "\xf4\x91\xbf\xbf"s,
                                 "\xf8\xaf\xbf\xbf\xbf"s, "\xe2\x82"s, "\xbf"s}) {
    const std::string note = decode("12345678" + bad).note;
    EXPECT_NE(note.find("byte offset 8 is no UTF-8"), std::string::npos) << note;
  }
  refuses("12345678\xf4\x90\xbf\xbf", {"invalid Windows-1252", "offset 9"});  // above U+10FFFF
}

TEST(TextEncoding, BinaryFilesAreRefused) {
  refuses(std::string(100, '\0'), {"t.csv", "binary", "offset 0", "CSV", "NPY", "IDX"});
  refuses("a,b\n1,2\n" + std::string(16, '\0'), {"binary", "offset 8"});
  refuses(std::string(60000, 'x') + '\0' + "y\xff", {"binary", "offset 60000"});
  // 16-bit integers have a zero byte in each pair, too.
  refuses("\1\0\2\0\3\0\4\0\5\0\6\0\7\0\10\0"s, {"binary", "offset 1"});
}

// Characters of two to four bytes, some cut, wherever the border between two members lies.
TEST(TextEncoding, ATeamFindsWhatOneProcessFinds) {
  const std::vector<std::string> pieces = {
      "a",        "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
      "\xe2\x82", "\xa4",     "\x80",         "\x93\x93\x93\x93\x93",
      "\0"s,      "\x01"};
  for (std::size_t first = 0; first < pieces.size(); ++first) {
    for (std::size_t second = 0; second < pieces.size(); ++second) {
      for (std::size_t before = 0; before < 6; ++before) {
        const std::string text = std::string(before, 'x') + pieces[first] + "1,2" + pieces[1] +
                                 pieces[second] + pieces[3] + "\n";
        for (const std::size_t members : {1U, 2U, 3U, 7U, 40U}) {
          const auto decode_by = [&text](const ReadingTeam& team) {
            const DecodedText decoded = decode_text(bytes_of(text), "t.csv", team);
            Dataset data;
            data.values = decoded.text;
            data.notes = {decoded.note};
            data.held = Range{};
            return data;
          };
          std::optional<Dataset> alone;
          std::string error;
          try {
            alone = decode_by({});
          } catch (const InputError& thrown) {
            error = thrown.what();
          }
          const test::TeamReading team = test::read_by_team(members, decode_by);
          ASSERT_EQ(team.error, error);
          for (std::size_t m = 0; alone && m < members; ++m) {
            ASSERT_EQ(team.members[m].notes, alone->notes);
            ASSERT_EQ(test::features_of(team.members[m]), test::features_of(*alone));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace dnn
