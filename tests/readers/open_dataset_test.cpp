#include "dnn/readers/open_dataset.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "dnn/core/error.hpp"
#include "dnn/data/bytes.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/readers/idx_reader.hpp"
#include "support/archive_files.hpp"
#include "support/array_files.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::idx;
using test::npy;
using test::TemporaryFolder;

std::string gzip(const std::string& text) {
  return test::compressed("gzip", text);
}

bool has_test_part(const std::string& source) {
  return DataSource(source).has_test_part(true);
}

void fails(const std::string& source, std::initializer_list<const char*> parts) {
  expect_error<InputError>([&] { (void)open_dataset(source, Part::train, {}); }, parts);
}

TEST(OpenDataset, BuiltinDigitsAreTheRealOnes) {
  const Dataset digits = open_dataset(builtin_digits_name, Part::train, {});
  EXPECT_EQ(digits.samples, 1797U);
  EXPECT_EQ(digits.features, 61U);  // 64 pixels, of which three are 0 in all pictures
  EXPECT_EQ(digits.class_names,
            (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
  EXPECT_EQ(digits.schema.columns.size(), 65U);
  const auto pixels = digits.values.as<std::uint8_t>();
  const std::uint64_t sum = std::accumulate(pixels.begin(), pixels.end(), std::uint64_t{0});
  EXPECT_EQ(sum, 561718U);  // of the 1,797 x 64 pixels as UCI publishes them
  EXPECT_EQ(digits.label_view()[5], 5);
  fails("builtin:cats", {"builtin:cats", "builtin:digits"});
}

TEST(OpenDataset, IdxFolderWithTrainAndTest) {
  const TemporaryFolder folder;
  folder.write("train-images-idx3-ubyte", idx({2, 1, 2}, "abcd"));
  folder.write("train-labels-idx1-ubyte.gz", gzip(idx({2}, {3, 8})));
  EXPECT_FALSE(has_test_part(folder.path()));
  const Dataset data = open_dataset(folder.path(), Part::train, {});
  EXPECT_EQ(data.samples, 2U);
  EXPECT_EQ(data.features, 2U);
  EXPECT_EQ(data.element, ElementType::u8);
  EXPECT_FALSE(data.values.mapped_path.empty());
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"3", "8"}));
  folder.write("t10k-images-idx3-ubyte.gz", gzip(idx({1, 1, 2}, "xy")));
  folder.write("t10k-labels-idx1-ubyte", idx({1}, {8}));
  EXPECT_TRUE(has_test_part(folder.path()));
  EXPECT_EQ(open_dataset(folder.path(), Part::test, {}).samples, 1U);
  folder.write("other-train-images-idx3-ubyte", idx({2, 1, 2}, "abcd"));
  fails(folder.path(), {"several files match"});
}

TEST(OpenDataset, NpyFolderAndPair) {
  const TemporaryFolder folder;
  const auto x = folder.write("X_train.npy", npy<float>("<f4", "(2, 1)", {1, 2}));
  fails(folder.path(), {"X_train.npy", "no file of labels"});
  const auto y = folder.write("y_train.npy", npy<std::int32_t>("<i4", "(2,)", {0, 1}));
  EXPECT_EQ(open_dataset(folder.path(), Part::train, {}).classes(), 2U);
  EXPECT_EQ(open_dataset(x + "," + y, Part::train, {}).classes(), 2U);
}

TEST(OpenDataset, FoldersOfCompressedFiles) {
  const TemporaryFolder folder;
  folder.write("train-images-idx3-ubyte.xz", test::compressed("xz", idx({2, 1, 2}, "abcd")));
  folder.write("train-labels-idx1-ubyte.zip", test::zip({{"labels", idx({2}, {3, 8})}}));
  EXPECT_EQ(open_dataset(folder.path(), Part::train, {}).classes(), 2U);
  const TemporaryFolder arrays;
  arrays.write("X_train.npy.bz2", test::compressed("bzip2", npy<float>("<f4", "(2, 1)", {1, 2})));
  arrays.write("y_train.npy.zst", test::compressed("zstd", npy<float>("<f4", "(2,)", {1, 2})));
  arrays.write("X_test.npy", npy<float>("<f4", "(1, 1)", {1}));
  EXPECT_EQ(open_dataset(arrays.path(), Part::train, {}).classes(), 2U);
  EXPECT_FALSE(has_test_part(arrays.path()));
  EXPECT_TRUE(DataSource(arrays.path()).has_test_part(false));
}

TEST(OpenDataset, AFileOfAnArchive) {
  const TemporaryFolder folder;
  const auto two =
      folder.write("two.zip", test::zip({{"a.csv", "1,2\n2,3\n"}, {"b,c.csv", "1,2\n"}}));
  EXPECT_EQ(open_dataset(two + ":b,c.csv", Part::train, {}).samples, 1U);
  fails(two, {"two.zip: the archive holds 2 files", "two.zip:a.csv"});
  fails(two + ":d.csv", {"two.zip: the archive has no file 'd.csv'"});
  const auto plain = folder.write("d.csv", "1,2\n");
  fails(plain + ":a", {"d.csv is not an archive", "'a'"});
}

TEST(OpenDataset, FormatsAreToldByContents) {
  const TemporaryFolder folder;
  EXPECT_TRUE(open_dataset(folder.write("a.data", "1 1:2\n2 2:3\n"), Part::train, {}).is_sparse());
  EXPECT_EQ(open_dataset(folder.write("b.data", "1,2\n2,3\n"), Part::train, {}).features, 1U);
  EXPECT_EQ(open_dataset(folder.write("c.csv.gz", gzip("1,2\n2,3\n")), Part::train, {}).samples,
            2U);
  fails(folder.write("d.bin", std::string(100, '\0')), {"d.bin", "binary"});
  fails(folder.write("e.npy", "no array"), {"e.npy", "NUMPY"});
}

TEST(OpenDataset, TextInOtherEncodings) {
  const TemporaryFolder folder;
  const auto utf16 = [](const std::string& ascii) {
    std::string text;
    for (const char c : ascii) {
      text += {c, '\0'};
    }
    return text;
  };
  const Dataset csv = open_dataset(
      folder.write("a.csv", gzip("\xff\xfe" + utf16("1,a\r\n2,b\r\n"))), Part::train, {});
  EXPECT_EQ(csv.class_names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(csv.notes.front(), folder / "a.csv" + ": UTF-16 text, converted to UTF-8");
  const Dataset svm =
      open_dataset(folder.write("b.svm", utf16("1 qid:7\n2 1:3\n")), Part::train, {});
  EXPECT_TRUE(svm.is_sparse());
  EXPECT_EQ(svm.notes.size(), 2U);
  const Dataset latin = open_dataset(folder.write("c.csv", "1,\xe9\n2,b\n"), Part::train, {});
  EXPECT_EQ(latin.class_names, (std::vector<std::string>{"b", "\u00e9"}));
}

TEST(OpenDataset, MissingAndEmpty) {
  const TemporaryFolder folder;
  fails(folder / "nowhere.csv", {"nowhere.csv", "No such file"});
  fails(folder.write("empty.csv", ""), {"empty.csv", "empty"});
  fails(folder.write("blank.csv", "\n\n"), {"blank.csv", "no lines"});
  const TemporaryFolder other;
  fails(other.path(), {"neither", "images-idx3-ubyte", "X_train.npy"});
  fails(folder.write("z.csv.gz", gzip("")), {"z.csv.gz", "empty"});
  fails("", {"path", "empty"});
}

TEST(OpenDataset, WhatIsNoFile) {
  const TemporaryFolder folder;
  fails("/dev/null", {"/dev/null", "not a regular file"});
  const std::string long_name(300, 'x');
  fails(long_name, {"File name too long"});
  fails(long_name + ",y.npy", {"cannot read the file", "File name too long"});
}

TEST(Gzip, TruncatedAndCorruptFiles) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += std::to_string(i * 7919 % 1000) + "," + std::to_string(i % 3) + "\n";
  }
  const std::string good = gzip(text);
  for (const std::size_t length :
       {good.size() - 1, good.size() - 9, good.size() / 2, std::size_t{12}, std::size_t{3}}) {
    fails(folder.write("cut.csv.gz", good.substr(0, length)), {"cut.csv.gz", "truncated gzip"});
  }
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 0x10);
  fails(folder.write("flipped.csv.gz", flipped), {"flipped.csv.gz", "gzip"});
  std::string checksum = good;
  checksum[good.size() - 6] = static_cast<char>(checksum[good.size() - 6] ^ 1);
  fails(folder.write("checksum.csv.gz", checksum), {"checksum.csv.gz", "corrupt gzip"});
  // Members one after the other are one file, as gzip itself has it.
  const auto twice = folder.write("twice.csv.gz", gzip("1,0\n") + gzip("2,1\n"));
  EXPECT_EQ(open_dataset(twice, Part::train, {}).samples, 2U);
}

TEST(Idx, BadFiles) {
  const TemporaryFolder folder;
  const auto labels = folder.write("l", idx({2}, {0, 1}));
  const auto images_fail = [&](const std::string& contents,
                               std::initializer_list<const char*> parts) {
    const auto path = folder.write("i", contents);
    expect_error<InputError>([&] { (void)read_idx(path, labels); }, parts);
  };
  const std::string good = idx({2, 1, 2}, "abcd");
  images_fail(good.substr(0, good.size() - 1), {"truncated IDX", "4 bytes", "3 are there"});
  images_fail(good + "e", {"corrupt IDX", "5 are there"});
  images_fail(good.substr(0, 9), {"truncated IDX header"});
  images_fail(good.substr(0, 2), {"truncated IDX file"});
  images_fail("GARBAGE AND MORE", {"corrupt IDX"});
  images_fail(std::string("\0\0\x0d\x03", 4) + good.substr(4), {"type code 13"});
  images_fail(idx({0xffffffffU, 0xffffffffU, 0xffffffffU}, ""), {"overflow"});
  images_fail(idx({4}, "abcd"), {"two dimensions"});
  images_fail(idx({3, 1, 1}, "abc"), {"2 labels", "3 images"});
}

}  // namespace
}  // namespace dnn
