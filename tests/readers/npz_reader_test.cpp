#include "dnn/readers/npz_reader.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/readers/data_source.hpp"
#include "support/archive_files.hpp"
#include "support/array_files.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::npy;
using test::TemporaryFolder;
using test::zip;

std::string features(float first) {
  return npy<float>("<f4", "(2, 2)", {first, 2, 3, 4});
}

std::string labels() {
  return npy<std::int32_t>("<i4", "(2,)", {7, 5});
}

/// A file of arrays; each name tells by its first letter whether it is features or labels.
struct NpzFile {
  TemporaryFolder folder;
  std::string path;

  explicit NpzFile(const std::vector<std::string>& names, bool stored = false) {
    test::ArchiveMembers members;
    for (const std::string& name : names) {
      const bool is_labels = name.find_first_of("yYlL") == 0 || name.find("_y") != name.npos ||
                             name.find("target") != name.npos;
      members.emplace_back(name + ".npy",
                           is_labels ? labels() : features(static_cast<float>(members.size())));
    }
    path = folder.write("d.npz", stored ? test::stored_zip(members) : zip(members));
  }
};

/// The first feature of the first sample: the place of the features' array in the file.
float first_feature(const std::string& source, Part part, const ReadOptions& options = {}) {
  const Dataset data = DataSource(source).read(part, options);
  const std::uint64_t sample = 0;
  std::vector<float> x(data.features);
  Gatherer<float>(data, {}).gather(std::span(&sample, 1), {x.data(), 1, data.features});
  return x[0];
}

void refuses(const std::string& source, std::initializer_list<const char*> parts) {
  expect_error<InputError>([&] { (void)DataSource(source).read(Part::train, {}); }, parts);
}

TEST(Npz, TheUsualNames) {
  for (const auto& [x, y] : {std::pair("x", "y"),
                             {"X", "Y"},
                             {"features", "labels"},
                             {"data", "target"},
                             {"X", "targets"},
                             {"Features", "Label"}}) {
    for (const bool stored : {false, true}) {
      const NpzFile file({y, x, "other"}, stored);
      EXPECT_EQ(first_feature(file.path, Part::train), 1) << x;
      DataSource source(file.path);
      EXPECT_FALSE(source.has_test_part(false));
      EXPECT_EQ(source.read(Part::train, {}).class_names, (std::vector<std::string>{"5", "7"}));
    }
  }
}

TEST(Npz, TrainAndTestParts) {
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{"x_train", "y_train", "x_test", "y_test"},
        {"X_train", "y_train", "X_test", "y_test"},
        {"train_x", "train_y", "test_x", "test_y"},
        {"train_data", "train_y", "test_data", "test_y"}}) {
    const NpzFile file(names);
    EXPECT_TRUE(DataSource(file.path).has_test_part(true)) << names[0];
    EXPECT_EQ(first_feature(file.path, Part::train), 0) << names[0];
    EXPECT_EQ(first_feature(file.path, Part::test), 2) << names[0];
    DataSource source(file.path);
    EXPECT_EQ(source.read(Part::test, {}).classes(), 2U);
  }
  const NpzFile unlabelled({"x_train", "y_train", "x_test"});
  EXPECT_FALSE(DataSource(unlabelled.path).has_test_part(true));
  EXPECT_TRUE(DataSource(unlabelled.path).has_test_part(false));
  EXPECT_EQ(first_feature(unlabelled.path, Part::test, {.features = 2}), 2);
}

TEST(Npz, NamesThatAreGiven) {
  const NpzFile file({"a", "x_train", "labels_of_a", "y_train", "x_test", "y_test"});
  EXPECT_EQ(first_feature(file.path + ":a,labels_of_a", Part::train), 0);
  EXPECT_EQ(first_feature(file.path + ":x_test,y_test", Part::train), 4);
  EXPECT_FALSE(DataSource(file.path + ":a,labels_of_a").has_test_part(false));
  DataSource column(file.path + ":a");
  EXPECT_EQ(column.read(Part::train, {.label_column = "first"}).class_names,
            (std::vector<std::string>{"0", "3"}));
  refuses(file.path + ":a,b", {"d.npz: there is no array 'b'", "'x_train'", "file.npz:X,y"});
}

TEST(Npz, OneArrayHoldsItsLabels) {
  const NpzFile file({"arr_0"});
  DataSource source(file.path);
  const Dataset data = source.read(Part::train, {});
  EXPECT_EQ(data.features, 1U);
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"2", "4"}));
  EXPECT_FALSE(source.read(Part::train, {.features = 2}).has_labels());
}

TEST(Npz, StoredArraysStayInTheFile) {
  const TemporaryFolder folder;
  const auto path = folder.write(
      "d.npz", test::stored_zip({{"x.npy", npy<std::uint8_t>("|u1", "(2, 2)", {1, 2, 3, 4})},
                                 {"y.npy", labels()}}));
  EXPECT_EQ(DataSource(path).read(Part::train, {}).values.mapped_path, path);
}

TEST(Npz, OtherNamesAreRefused) {
  refuses(NpzFile({"arr_0", "arr_1"}).path, {"d.npz: no array is named as features are",
                                             "'arr_0', 'arr_1'", "file.npz:X,y", "x_train"});
  refuses(NpzFile({"x", "other"}).path, {"d.npz: no array is named as labels are", "'x', 'other'"});
  refuses(NpzFile({"x", "X", "y"}).path, {"d.npz: 'x' and 'X' may both be meant", "file.npz:X,y"});
  const TemporaryFolder folder;
  const std::string text = zip({{"x.npy", "no array"}, {"y.npy", labels()}});
  refuses(folder.write("d.npz", text), {"d.npz:x: not an NPY file"});
  std::string cut = test::stored_zip({{"x.npy", features(0)}, {"y.npy", labels()}});
  cut.resize(cut.size() - 30);
  refuses(folder.write("d.npz", cut), {"d.npz: ", "corrupt zip data", "truncated"});
}

}  // namespace
}  // namespace dnn
