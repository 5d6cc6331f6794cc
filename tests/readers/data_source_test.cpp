#include "dnn/files/stream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "dnn/core/error.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "support/archive_files.hpp"
#include "support/array_files.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::npy;
using test::TemporaryFolder;

/// A FIFO into which a thread writes.
class Fifo {
 public:
  Fifo(std::string path, std::string contents) : path_(std::move(path)) {
    if (::mkfifo(path_.c_str(), 0600) != 0) {
      throw std::runtime_error("cannot make a FIFO");
    }
    writer_ = std::thread([this, contents = std::move(contents)] {
      std::ofstream(path_, std::ios::binary) << contents;
    });
  }
  ~Fifo() { writer_.join(); }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::thread writer_;
};

/// Puts a file in the place of standard input.
class StandardInput {
 public:
  explicit StandardInput(const std::string& path) : kept_(::dup(STDIN_FILENO)) {
    const int file = ::open(path.c_str(), O_RDONLY);
    ::dup2(file, STDIN_FILENO);
    ::close(file);
  }
  ~StandardInput() {
    ::dup2(kept_, STDIN_FILENO);
    ::close(kept_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  int kept_;
};

TEST(Stream, WhatIsOne) {
  const TemporaryFolder folder;
  EXPECT_TRUE(is_stream("-"));
  EXPECT_FALSE(is_stream(folder.write("d.csv", "1,2\n")));
  EXPECT_FALSE(is_stream(folder.path()));
  EXPECT_FALSE(is_stream(folder / "nowhere"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(is_stream(folder / "pipe"));
}

TEST(Stream, PipesAreReadToTheirEnd) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 100000; ++i) {
    text += std::to_string(i * 7 % 1000) + "," + std::to_string(i % 3) + "\n";
  }
  {
    const Fifo plain(folder / "plain", text);
    EXPECT_EQ(open_dataset(plain.path(), Part::train, {}).samples, 100000U);
  }
  {
    const Fifo packed(folder / "packed", test::compressed("zstd", text));
    EXPECT_EQ(open_dataset(packed.path(), Part::train, {}).samples, 100000U);
  }
  const Fifo x(folder / "x", npy<float>("<f4", "(2, 1)", {1, 2}));
  const Fifo y(folder / "y", npy<std::int32_t>("<i4", "(2,)", {0, 1}));
  EXPECT_EQ(open_dataset(x.path() + "," + y.path(), Part::train, {}).classes(), 2U);
}

TEST(Stream, AnArchiveBringsItsTestPart) {
  const TemporaryFolder folder;
  const Fifo fifo(folder / "npz",
                  test::zip({{"x_train.npy", npy<float>("<f4", "(2, 1)", {1, 2})},
                             {"y_train.npy", npy<std::int32_t>("<i4", "(2,)", {0, 1})},
                             {"x_test.npy", npy<float>("<f4", "(1, 1)", {3})},
                             {"y_test.npy", npy<std::int32_t>("<i4", "(1,)", {1})}}));
  DataSource source(fifo.path());
  EXPECT_TRUE(source.has_test_part(true));
  EXPECT_EQ(source.read(Part::train, {}).samples, 2U);
  EXPECT_EQ(source.read(Part::test, {}).samples, 1U);
}

TEST(Stream, StandardInput) {
  const TemporaryFolder folder;
  {
    const StandardInput file(folder.write("d.csv", "1,2\n3,4\n"));
    EXPECT_EQ(open_dataset("-", Part::train, {}).samples, 2U);
  }
  const StandardInput nothing("/dev/null");
  expect_error<InputError>([] { (void)open_dataset("-", Part::train, {}); },
                           {"standard input is empty", "without sending data"});
  const StandardInput bad(folder.write("bad.csv", "1,2\n3\n"));
  expect_error<InputError>([] { (void)open_dataset("-", Part::train, {}); },
                           {"standard input: line 2"});
}

TEST(DataSource, RefusesAFileThatChangesWhileItIsRead) {
  const TemporaryFolder folder;
  const std::string text = "x,label\n1,a\n2,b\n";
  const std::string file = folder.write("d.csv", text);
  const std::string other = folder.write("e.csv", text);
  const auto changed = [](const std::string& source, const std::function<void()>& change,
                          const char* what) {
    DataSource data(source);
    change();
    expect_error<InputError>([&] { (void)data.read(Part::train, {}); },
                             {"e.csv: the file ", what, "while it was being read", "start again"});
  };
  changed(
      other, [&] { folder.write("e.csv", text + "3,a\n"); }, "changed from 16 to 20 bytes");
  // Written to in place, with the same size, and the clock of a file system may be coarse.
  const auto rewrite = [&] {
    folder.write("e.csv", "x,label\n1,b\n2,a\n3,a\n");
    std::filesystem::last_write_time(
        other, std::filesystem::last_write_time(other) + std::chrono::milliseconds(20));
  };
  changed(other, rewrite, "was written to");
  changed(folder / "?.csv", rewrite, "was written to");
  changed(folder.path(), rewrite, "was written to");
  changed(
      other, [&] { std::filesystem::rename(other, folder / "f.dat"); }, "was removed");
}

TEST(Stream, OneReaderReadsItOnce) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("pipe", (folder / "link").c_str()), 0);
  const std::string pipe = folder / "pipe";
  const std::string file = folder.write("d.csv", "1,2\n");
  check_streams({pipe, file}, 1);
  check_streams({file, file, ""}, 4);
  expect_error<InputError>(
      [&] {
        check_streams({file, "-"}, 2);
      },
      {"standard input: a pipe has one reader", "2 groups of ranks", "file"});
  const auto twice = [](const std::vector<std::string>& sources) {
    expect_error<InputError>([&] { check_streams(sources, 1); },
                             {"is named twice", "read only once"});
  };
  twice({"-", "-"});
  twice({pipe + "," + pipe});
  twice({pipe, folder / "link"});
  twice({pipe + ":member", pipe});
}

}  // namespace
}  // namespace dnn
