#include "dnn/files/archive.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/files/gzip.hpp"
#include "support/archive_files.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::compressed;
using test::expect_error;
using test::stored_zip;
using test::tar;
using test::TemporaryFolder;
using test::zip;

const std::vector<std::string> filters = {"gzip", "xz", "zstd", "bzip2", "lz4"};

/// What `lz4` makes of an empty file.
const std::string empty_lz4("\x04\x22\x4d\x18\x64\x40\xa7\0\0\0\0\x05\x5d\xcc\x02", 15);

std::string some_text() {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += std::to_string(i * 7919 % 1000) + "," + std::to_string(i % 3) + "\n";
  }
  return text;
}

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.view.data()), bytes.size()};
}

void fails(const std::string& path, std::initializer_list<const char*> parts) {
  expect_error<InputError>([&] { (void)read_contents(path); }, parts);
}

TEST(Compression, EveryKindIsToldByItsContents) {
  const TemporaryFolder folder;
  const std::string text = some_text();
  for (const std::string& filter : filters) {
    const auto path = folder.write("data", compressed(filter, text));
    EXPECT_EQ(text_of(read_contents(path)), text) << filter;
    // Files one after the other are one file, as these programs themselves have it.
    const auto twice = compressed(filter, "a,b\n") + compressed(filter, "c,d\n");
    EXPECT_EQ(text_of(read_contents(folder.write("data", twice))), "a,b\nc,d\n") << filter;
    const auto layers = compressed(filter, compressed("gzip", text));
    EXPECT_EQ(text_of(read_contents(folder.write("data", layers))), text) << filter;
  }
  const Bytes plain = read_contents(folder.write("plain", text));
  EXPECT_EQ(plain.mapped_path, folder / "plain");  // mapped, not copied
}

TEST(Compression, TheBeginningIsReadWithoutTheRest) {
  const TemporaryFolder folder;
  std::string text;
  for (std::uint32_t state = 1, i = 0; i < 1'000'000; ++i) {
    state = state * 1664525 + 1013904223;
    text += static_cast<char>(state >> 24);
  }
  const auto begin_of = [](const std::string& path, std::size_t count) {
    const std::vector<std::byte> bytes = first_bytes(path, count);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const std::string inner = compressed("gzip", text);
  for (const std::string& filter : filters) {
    const std::string whole = compressed(filter, text);
    EXPECT_EQ(begin_of(folder.write("data", whole), 100), text.substr(0, 100)) << filter;
    const auto cut = folder.write("data", whole.substr(0, whole.size() - 6));
    EXPECT_EQ(begin_of(cut, 100), text.substr(0, 100)) << filter;
    fails(cut, {"data"});
    const auto layers = folder.write("data", compressed(filter, inner));
    EXPECT_EQ(begin_of(layers, 100), text.substr(0, 100)) << filter;
    EXPECT_EQ(begin_of(folder.write("data", compressed(filter, "a,b")), 100), "a,b") << filter;
  }
  EXPECT_EQ(begin_of(folder.write("data", zip({{"a.csv", "1,2\n"}})), 3), "1,2");
  EXPECT_EQ(begin_of(folder.write("data", "x"), 3), "x");
}

// Tapes and dd fill the last block with zeros, as gzip itself accepts.
TEST(Compression, ZerosBehindGzipDataAreNone) {
  const TemporaryFolder folder;
  const std::string text = some_text();
  const std::string file = compressed("gzip", text) + std::string(700, '\0');
  const auto path = folder.write("data", file);
  EXPECT_EQ(text_of(read_contents(path)), text);
  EXPECT_EQ(first_bytes(path, text.size() + 10).size(), text.size());
  fails(folder.write("data", file + "x"), {"corrupt gzip data"});
}

TEST(Compression, FramesWithoutDataMayBeginZstandardData) {
  const TemporaryFolder folder;
  const std::string text = some_text();
  const std::string frame("\x5a\x2a\x4d\x18\x04\0\0\0abcd", 12);
  const auto path = folder.write("data", frame + frame + compressed("zstd", text));
  EXPECT_EQ(text_of(read_contents(path)), text);
  EXPECT_TRUE(is_packed(path));
  for (const std::string& others : {frame, frame.substr(0, 9), frame + "1,2\n"}) {
    EXPECT_EQ(text_of(read_contents(folder.write("data", others))), others);
  }
}

TEST(Compression, DamagedDataAreRefused) {
  const TemporaryFolder folder;
  for (const std::string& filter : filters) {
    const std::string good = compressed(filter, some_text());
    for (const std::size_t cut : {good.size() - 1, good.size() / 2, std::size_t{14}}) {
      fails(folder.write("cut", good.substr(0, cut)), {"cut: ", "truncated", filter.c_str()});
    }
    if (filter != "zstd") {  // libarchive writes it without the checksum that zstd itself adds
      std::string flipped = good;
      flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 0x10);
      fails(folder.write("flipped", flipped), {"flipped: ", filter.c_str(), "copy"});
    }
    fails(folder.write("longer", good + "x"), {"longer: ", filter.c_str(), "copy"});
    fails(folder.write("empty", filter == "lz4" ? empty_lz4 : compressed(filter, "")),
          {"empty: ", "empty after decompression"});
  }
  std::string layers = "1,2\n";
  for (int i = 0; i < 4; ++i) {
    layers = compressed("gzip", layers);
  }
  fails(folder.write("layers", layers), {"layers: ", "compressed more than 3 times"});
}

TEST(Compression, NoMoreThanFitsIntoMemory) {
  const std::string zeros(std::size_t{24} << 20, '\0');
  for (const std::string& filter : filters) {
    const std::string bomb = compressed(filter, zeros);
    ASSERT_LT(bomb.size(), zeros.size() / 100) << filter;
    const Bytes bytes = Bytes::from(std::vector<char>(bomb.begin(), bomb.end()));
    const auto unpack = [&](const MemoryProbe& available) {
      return filter == "gzip" ? inflate_gzip(bytes.view, "bomb.gz", available)
                              : decompress(bytes, "bomb.gz", available);
    };
    const auto little = [] { return std::size_t{20} << 20; };
    if (filter == "gzip") {  // its last bytes say how much it is
      expect_error<InputError>([&] { (void)unpack(little); },
                               {"bomb.gz (", "iB compressed) holds at least 24.0 MiB",
                                "may use 20.0 MiB of memory more", "NPY files"});
    }
    std::size_t left = std::size_t{60} << 20;
    const auto ever_less = [&left] { return left -= std::size_t{10} << 20; };
    expect_error<InputError>([&] { (void)unpack(ever_less); },
                             {"bomb.gz (", "iB compressed) holds more data than fit in memory",
                              "iB are read", "may use", "NPY files"});
    EXPECT_EQ(unpack([] { return std::size_t{1} << 40; }).size(), zeros.size());
  }
}

TEST(Archive, TheOnlyFileIsRead) {
  const TemporaryFolder folder;
  const test::ArchiveMembers members = {
      {"a/", ""}, {"a/data.csv", "1,2\n3,4\n"}, {"a/.hidden", "x"}, {"__MACOSX/a/data.csv", "y"}};
  for (const std::string& contents :
       {zip(members), stored_zip(members), tar(members), compressed("xz", tar(members))}) {
    EXPECT_EQ(text_of(read_contents(folder.write("a", contents))), "1,2\n3,4\n");
  }
  const auto packed = folder.write("p.zip", zip({{"d.csv.bz2", compressed("bzip2", "1,2\n")}}));
  EXPECT_EQ(text_of(read_contents(packed)), "1,2\n");
}

TEST(Archive, StoredMembersStayMapped) {
  const TemporaryFolder folder;
  const std::string text = some_text();
  const auto path = folder.write("s.zip", stored_zip({{"d.csv", text}}));
  const Bytes stored = read_contents(path);
  EXPECT_EQ(text_of(stored), text);
  EXPECT_EQ(stored.mapped_path, path);
  EXPECT_EQ(text_of(map_file(path, stored.mapped_offset, stored.size())), text);
  EXPECT_TRUE(read_contents(folder.write("d.zip", zip({{"d.csv", text}}))).mapped_path.empty());
}

TEST(Archive, WhatIsNoSingleFileIsRefused) {
  const TemporaryFolder folder;
  const auto two = folder.write("two.zip", zip({{"a.csv", "1,2\n"}, {"b.csv", "3,4\n"}}));
  fails(two, {"two.zip: ", "2 files", "'a.csv', 'b.csv'", "two.zip:a.csv", "unpack it"});
  const Bytes archive = map_file(two);
  EXPECT_EQ(text_of(unpack_file(archive, "two.zip", "b.csv")), "3,4\n");
  expect_error<InputError>([&] { (void)unpack_file(archive, "two.zip", "c.csv"); },
                           {"two.zip: ", "no file 'c.csv'"});
  fails(folder.write("none.zip", zip({{".hidden", "x"}})), {"none.zip: ", "holds no files"});
  fails(folder.write("empty.tar", tar({{"d.csv", ""}})), {"empty.tar: ", "'d.csv' is empty"});
  fails(folder.write("in.zip", zip({{"in.tar", tar({{"d.csv", "1,2\n"}})}})),
        {"in.zip: ", "an archive inside the archive"});
  fails(folder.write("same.tar", tar({{"a", "1"}, {"a", "2"}})), {"same.tar: ", "'a' twice"});
}

TEST(Archive, DamagedArchivesAreRefused) {
  const TemporaryFolder folder;
  const std::string text = some_text();
  for (const bool stored : {false, true}) {
    const std::string good = stored ? stored_zip({{"d.csv", text}}) : zip({{"d.csv", text}});
    fails(folder.write("cut.zip", good.substr(0, good.size() / 2)),
          {"cut.zip: ", "zip data", "truncated"});
    std::string flipped = good;
    flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 0x10);
    fails(folder.write("flipped.zip", flipped), {"flipped.zip: ", "corrupt zip data"});
  }
  const std::string good = tar({{"d.csv", text}});
  fails(folder.write("cut.tar", good.substr(0, good.size() / 2)),
        {"cut.tar: ", "truncated tar data"});
}

}  // namespace
}  // namespace dnn
