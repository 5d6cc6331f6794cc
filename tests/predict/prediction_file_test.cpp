#include "dnn/predict/prediction_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>

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

TEST(PredictionFile, HasItsNameOnceItIsComplete) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("p.csv", "older");
  folder.write("p.csv.tmp", "left by a killed program");
  {
    PredictionFile file(path, example(), ",class", 4);
    file.write("0,7,a\n");
    EXPECT_EQ(test::read_file(path), "older");
    file.commit(1);
  }
  EXPECT_EQ(test::read_file(path), "sample,id,class\n0,7,a\n");
  EXPECT_FALSE(fs::exists(path + ".tmp"));
  const std::string matrix = folder / "p.npy";
  {
    PredictionFile file(matrix, example(), "", 4);
    file.write("12345678");
    file.commit(1);
  }
  const std::string bytes = test::read_file(matrix);
  EXPECT_NE(bytes.find("'shape': (1, 2)"), std::string::npos) << bytes;
  EXPECT_EQ(bytes.substr(128), "12345678");
}

TEST(PredictionFile, AnIncompleteOneIsRemoved) {
  const test::TemporaryFolder folder;
  {
    PredictionFile file(folder / "p.csv", example(), ",class", 4);
    EXPECT_TRUE(fs::exists(folder / "p.csv.tmp"));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  fs::create_directory(folder / "p.csv");
  {
    PredictionFile file(folder / "p.csv", example(), ",class", 4);
    test::expect_error<FileError>([&] { file.commit(0); },
                                  {"cannot write the predictions", "p.csv: Is a directory"});
  }
  EXPECT_FALSE(fs::exists(folder / "p.csv.tmp"));
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
