#include "dnn/predict/prediction_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

namespace fs = std::filesystem;

/// Of two classes and a column that is passed on.
Dataset example() {
  Dataset data;
  data.class_names = {"a", "b"};
  data.kept_names = {"id"};
  return data;
}

std::ptrdiff_t files_in(const test::TemporaryFolder& folder) {
  return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
}

TEST(PredictionFile, HasItsNameOnceItIsComplete) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("p.csv", "older");
  folder.write("p.csv.tmp", "somebody's");
  folder.write("p.csv.tmp.0123456789abcdef", "left by a killed program");
  {
    PredictionFile file(path, Existing::replace, example(), ",class", 4);
    file.write("0,7,a\n");
    EXPECT_EQ(test::read_file(path), "older");
    file.commit(1);
  }
  EXPECT_EQ(test::read_file(path), "sample,id,class\n0,7,a\n");
  EXPECT_EQ(test::read_file(path + ".tmp"), "somebody's");
  EXPECT_EQ(files_in(folder), 2);
  const std::string matrix = folder / "p.npy";
  {
    PredictionFile file(matrix, Existing::keep, example(), "", 4);
    file.write("12345678");
    file.commit(1);
  }
  const std::string bytes = test::read_file(matrix);
  EXPECT_NE(bytes.find("'shape': (1, 2)"), std::string::npos) << bytes;
  EXPECT_EQ(bytes.substr(128), "12345678");
}

// Two programs that write the same file.
TEST(PredictionFile, OneThatWasWrittenMeanwhileIsNotReplaced) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "p.csv";
  PredictionFile first(path, Existing::keep, example(), ",class", 4);
  PredictionFile second(path, Existing::keep, example(), ",class", 4);
  first.write("0,7,a\n");
  second.write("0,7,b\n");
  second.commit(1);
  std::string said;
  try {
    first.commit(1);
  } catch (const InputError& error) {
    said = error.what();
  }
  EXPECT_NE(said.find("another program"), std::string::npos) << said;
  EXPECT_EQ(test::read_file(path), "sample,id,class\n0,7,b\n");
  const std::string kept = said.substr(said.rfind(' ') + 1);
  EXPECT_EQ(test::read_file(kept), "sample,id,class\n0,7,a\n");
}

TEST(PredictionFile, AnIncompleteOneIsRemoved) {
  const test::TemporaryFolder folder;
  {
    PredictionFile file(folder / "p.csv", Existing::keep, example(), ",class", 4);
    EXPECT_EQ(files_in(folder), 1);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  fs::create_directory(folder / "p.csv");
  {
    PredictionFile file(folder / "p.csv", Existing::replace, example(), ",class", 4);
    test::expect_error<FileError>([&] { file.commit(0); },
                                  {"cannot write the predictions", "p.csv: Is a directory"});
  }
  EXPECT_EQ(files_in(folder), 1);
}

TEST(PredictionFile, HasNoNameOfAnotherFormat) {
  for (const char* name : {"p.csv", "p.npy", "p.txt", "p", "p.v2", "a.json/p", "/dev/null"}) {
    check_prediction_name(name);
  }
  for (const char* name : {"p.json", "p.parquet", "p.H5", "p.csv.gz", "p.xlsx", "p.npz"}) {
    test::expect_error<InputError>([&] { check_prediction_name(name); },
                                   {"--output ", name, "CSV", ".npy"});
  }
}

}  // namespace
}  // namespace dnn
