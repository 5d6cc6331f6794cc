// What a damaged data file does. A checksum guards compressed data and archives; in the other
// formats a damage of the structure is refused, with a message that names the file and, in text,
// the line; one that changes a number or a name into another is data like any. So every damaged
// file is either refused, or read as a data set whose parts fit each other; in text, of finite
// numbers.

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "dnn/core/error.hpp"
#include "dnn/files/archive.hpp"
#include "dnn/files/gzip.hpp"
#include "dnn/readers/idx_reader.hpp"
#include "dnn/readers/libsvm_reader.hpp"
#include "dnn/readers/npy_reader.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/tables/read_table.hpp"
#include "support/archive_files.hpp"
#include "support/array_files.hpp"
#include "support/damages.hpp"
#include "support/dataset_problem.hpp"
#include "support/memory_file.hpp"

namespace dnn {
namespace {

using test::for_each_damage;
using test::MemoryFile;

struct Outcome {
  Dataset data;
  std::string refusal;  ///< empty where the data were read
};

/// Reads; any other error than InputError ends the test.
Outcome outcome_of(const std::function<Dataset()>& read) {
  Outcome outcome;
  try {
    outcome.data = read();
  } catch (const InputError& error) {
    outcome.refusal = error.what();
  }
  return outcome;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Every damage to a text: refused with its line, or well-formed and finite. `least_refused`: of
/// the damages.
template <class Read>
void try_text(const std::string& whole, std::size_t least_refused, Read&& read) {
  const std::array about_the_whole = {"no lines", "no rows", "zero features", "is not a class",
                                      "not whole"};
  std::size_t refused = 0;
  for_each_damage(whole, [&](const std::string& damaged, const std::string& what) {
    const Outcome outcome =
        outcome_of([&] { return read(std::as_bytes(std::span(damaged)), "t.txt", ReadOptions{}); });
    if (outcome.refusal.empty()) {
      EXPECT_EQ(test::dataset_problem(outcome.data), "") << what;
      EXPECT_TRUE(test::has_finite_inputs(outcome.data)) << what;
      return;
    }
    ++refused;
    EXPECT_TRUE(outcome.refusal.starts_with("t.txt: ")) << what << ": " << outcome.refusal;
    const auto is_said = [&](const char* part) {
      return outcome.refusal.find(part) != std::string::npos;
    };
    EXPECT_TRUE(is_said(": line ") ||
                std::any_of(about_the_whole.begin(), about_the_whole.end(), is_said))
        << what << ": " << outcome.refusal;
  });
  EXPECT_GT(refused, least_refused);
}

/// Every damage to `file`, which holds `whole`: refused with its name, or well-formed; refused in
/// any case where the length is another.
void try_binary(const std::string& whole, const MemoryFile& file,
                const std::function<Dataset()>& read) {
  for_each_damage(whole, [&](const std::string& damaged, const std::string& what) {
    file.write(damaged);
    const Outcome outcome = outcome_of(read);
    if (outcome.refusal.empty()) {
      EXPECT_EQ(test::dataset_problem(outcome.data), "") << what;
      EXPECT_EQ(damaged.size(), whole.size()) << what << " was not noticed";
    } else {
      EXPECT_NE(outcome.refusal.find(file.path() + ": "), std::string::npos)
          << what << ": " << outcome.refusal;
    }
  });
  file.write(whole);
  EXPECT_EQ(outcome_of(read).refusal, "");
}

// Whatever is no number is text, which a table may hold.
TEST(DamagedFiles, Table) {
  try_text("a,\"b \"\"c\"\"\",label\n1,-2.5e3,x\n4,5,\"y\nz\"\n.5,+7,x\n", 20, read_table);
  try_text("1;2;0\r\n3;4;1\r\n-5;0.25;0\r\n", 20, read_table);
  try_text("when,c,label\n2024-01-01,u,x\n,v,y\n2024-05-06T01:02:03Z,u,y\n", 20, read_table);
}

TEST(DamagedFiles, Libsvm) {
  const std::string text = "# comment\n+1 1:0.5 3:-2e1\n-1 qid:4 2:.25 # x\n\n+1\n";
  try_text(text, text.size(),
           [](std::span<const std::byte> contents, const std::string& origin,
              const ReadOptions& options) { return read_libsvm(contents, origin, options); });
}

TEST(DamagedFiles, Npy) {
  const std::string features = test::npy<float>("<f4", "(2, 3)", {1, 2, 3, 4, 5, 6});
  const std::string labels = test::npy<std::int64_t>("<i8", "(2,)", {7, -1});
  const MemoryFile x;
  const MemoryFile y;
  x.write(features);
  y.write(labels);
  try_binary(features, x, [&] { return read_npy(x.path(), y.path(), {}); });
  try_binary(labels, y, [&] { return read_npy(x.path(), y.path(), {}); });
  const std::string with_labels = test::npy<std::int16_t>("<i2", "(2, 2)", {1, 0, -4, 3});
  const MemoryFile both;
  both.write(with_labels);
  try_binary(with_labels, both, [&] { return read_npy(both.path(), "", {}); });
}

TEST(DamagedFiles, Idx) {
  const std::string images = test::idx({2, 2, 3}, "abcdefghijkl");
  const std::string labels = test::idx({2}, {3, 8});
  const MemoryFile x;
  const MemoryFile y;
  x.write(images);
  y.write(labels);
  try_binary(images, x, [&] { return read_idx(x.path(), y.path()); });
  try_binary(labels, y, [&] { return read_idx(x.path(), y.path()); });
}

// gzip's checksum finds them all, but for those to bytes that say nothing about the contents (the
// time, the system, flags that are a hint), which are read as if whole. One file after another is
// one file to gzip: that is no damage.
TEST(DamagedFiles, Gzip) {
  std::string text;
  for (int i = 0; i < 60; ++i) {
    text += std::to_string(i * i) + "," + std::to_string(i % 3) + "\n";
  }
  const std::string whole = test::compressed("gzip", text);
  std::size_t refused = 0;
  std::size_t damages = 0;
  for_each_damage(whole, [&](const std::string& damaged, const std::string& what) {
    ++damages;
    try {
      const auto inflated = inflate_gzip(std::as_bytes(std::span(damaged)), "t.csv.gz");
      EXPECT_EQ(text_of(inflated.view), damaged == whole + whole ? text + text : text) << what;
    } catch (const InputError& error) {
      ++refused;
      EXPECT_TRUE(std::string(error.what()).starts_with("t.csv.gz: ")) << error.what();
    }
  });
  constexpr std::size_t most_harmless = 150;  // to the 7 bytes of the header that say nothing
  EXPECT_GT(refused, damages - most_harmless);
}

// Their checksums find them all; bits that say nothing about the contents there are few.
TEST(DamagedFiles, OtherCompression) {
  const std::string text = "1,2,a\n3,4,b\n5,6,a\n";
  for (const std::string filter : {"xz", "bzip2"}) {
    const std::string whole = test::compressed(filter, text);
    std::size_t accepted = 0;
    for_each_damage(whole, [&](const std::string& damaged, const std::string& what) {
      const Bytes bytes = Bytes::from(std::vector<char>(damaged.begin(), damaged.end()));
      if (compression_of(bytes.view).empty()) {
        return;
      }
      try {
        const std::string read = text_of(decompress(bytes, "t.csv.xz").view);
        EXPECT_TRUE(read == text || read == text + text) << what;
        ++accepted;
      } catch (const InputError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("t.csv.xz: ")) << error.what();
      }
    });
    EXPECT_LT(accepted, 40U) << filter;
  }
}

// A zip archive has a checksum for each file.
TEST(DamagedFiles, Npz) {
  const test::ArchiveMembers members = {{"x.npy", test::npy<float>("<f4", "(2, 2)", {1, 2, 3, 4})},
                                        {"y.npy", test::npy<std::int16_t>("<i2", "(2,)", {7, -1})}};
  for (const std::string& whole : {test::zip(members), test::stored_zip(members)}) {
    const MemoryFile file;
    const auto read = [&] { return open_dataset(file.path(), Part::train, {}); };
    for_each_damage(whole, [&](const std::string& damaged, const std::string& what) {
      file.write(damaged);
      const Outcome outcome = outcome_of(read);
      if (outcome.refusal.empty()) {
        EXPECT_EQ(test::dataset_problem(outcome.data), "") << what;
        EXPECT_EQ(outcome.data.values.as<float>()[3], 4) << what;
      } else {
        EXPECT_NE(outcome.refusal.find(file.path()), std::string::npos)
            << what << ": " << outcome.refusal;
      }
    });
    file.write(whole);
    EXPECT_EQ(outcome_of(read).refusal, "");
  }
}

}  // namespace
}  // namespace dnn
