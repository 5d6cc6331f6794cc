#include "dnn/data/npy_reader.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/array_files.hpp"
#include "support/dataset_row.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::npy;
using test::row;
using test::TemporaryFolder;

TEST(Npy, FeaturesAndLabelsInTwoFilesStayAsTheyAre) {
  const TemporaryFolder folder;
  const auto x = folder.write("x.npy", npy<std::uint8_t>("|u1", "(2, 3)", {1, 2, 3, 250, 5, 6}));
  const auto y = folder.write("y.npy", npy<std::int64_t>("<i8", "(2,)", {7, -1}));
  const Dataset data = read_npy(x, y, {});
  EXPECT_EQ(data.element, ElementType::u8);
  EXPECT_EQ(data.values.mapped_path, x);  // mapped, not copied
  EXPECT_EQ(row(data, 1), (std::vector<double>{250, 5, 6}));
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"-1", "7"}));
}

TEST(Npy, LabelsThatAreVectorsOrNoClasses) {
  const TemporaryFolder folder;
  const auto x = folder.write("x.npy", npy<float>("<f4", "(2, 2)", {0.5, 1.5, 2.5, 3.5}));
  const auto one_hot = folder.write("h.npy", npy<float>("<f4", "(2, 2)", {1, 0, 0, 1}));
  expect_error<InputError>([&] { (void)read_npy(x, one_hot, {}); },
                           {"h.npy", "4 labels", "2 samples", "not a vector"});
  expect_error<InputError>([&] { (void)read_npy(x, {}, {}); },
                           {"x.npy", "1.5", "--label-column", "features.npy,labels.npy"});
}

TEST(Npy, ImagesAreFlattenedAndEveryTypeIsRead) {
  const TemporaryFolder folder;
  const auto y = folder.write("y.npy", npy<float>("<f4", "(2, 1)", {0, 1}));
  const auto images =
      folder.write("x.npy", npy<double>("<f8", "(2, 2, 2)", {1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(row(read_npy(images, y, {}), 1), (std::vector<double>{5, 6, 7, 8}));
  const auto shorts = folder.write("s.npy", npy<std::int16_t>("<i2", "(2, 1)", {-300, 4}));
  EXPECT_EQ(row(read_npy(shorts, y, {}), 0), (std::vector<double>{-300}));
  const auto words = folder.write("w.npy", npy<std::uint32_t>("<u4", "(2, 1)", {4000000000U, 4}));
  EXPECT_EQ(row(read_npy(words, y, {}), 0), (std::vector<double>{4e9}));
}

TEST(Npy, LabelColumnInsideTheArray) {
  const TemporaryFolder folder;
  const auto path = folder.write("d.npy", npy<float>("<f4", "(2, 4)", {1, 2, 3, 4, 5, 6, 7, 8}));
  const Dataset last = read_npy(path, "", {});
  EXPECT_EQ(row(last, 1), (std::vector<double>{5, 6, 7}));
  EXPECT_EQ(last.class_names, (std::vector<std::string>{"4", "8"}));
  const Dataset second = read_npy(path, "", {.label_column = "2"});
  EXPECT_EQ(row(second, 1), (std::vector<double>{5, 7, 8}));
  EXPECT_FALSE(read_npy(path, "", {.features = 4}).has_labels());
}

TEST(Npy, BadFiles) {
  const TemporaryFolder folder;
  const std::string good = npy<float>("<f4", "(2, 2)", {1, 2, 3, 4});
  const auto y = folder.write("y.npy", npy<std::int64_t>("<i8", "(3,)", {7, -1, 7}));
  const auto fails = [&](const std::string& contents, std::initializer_list<const char*> parts) {
    const auto path = folder.write("bad.npy", contents);
    expect_error<InputError>([&] { (void)read_npy(path, "", {}); }, parts);
  };
  fails(good.substr(0, good.size() - 1), {"bad.npy", "truncated", "16 bytes"});
  fails(good.substr(0, 40), {"bad.npy", "truncated or corrupt NPY header"});
  fails("\x93NUMPY", {"bad.npy", "truncated"});
  fails("hello, this is no array", {"bad.npy", "no NUMPY magic"});
  fails(npy<float>("<c8", "(2, 1)", {1, 2, 3, 4}), {"'<c8'", "astype"});
  fails(npy<float>(">f4", "(2, 2)", {1, 2, 3, 4}), {"'>f4'"});
  fails(npy<float>("<f4", "(4,)", {1, 2, 3, 4}), {"samples x features", "1 dimension"});
  fails(npy<float>("<f4", "(99999999999, 99999999999)", {1}), {"corrupt NPY header"});
  fails(npy<float>("<f4", "(2, 2)", {1, 2, 3, 4}, true), {"Fortran order"});
  fails(good + good, {"corrupt", "144 bytes follow the 16 bytes"});
  std::string order = good;
  order.replace(order.find("False"), 5, "Falte");
  fails(order, {"corrupt NPY header (fortran_order)"});
  fails(npy<float>("<f4", "(2, 2)", {1, 2.5, 3, 4}), {"label 2.5", "not a class"});
  const auto x = folder.write("x.npy", good);
  for (const std::uint64_t label : {std::uint64_t{1} << 53, ~std::uint64_t{0}}) {
    const auto huge = folder.write("huge.npy", npy<std::uint64_t>("<u8", "(2,)", {1, label}));
    expect_error<InputError>([&] { (void)read_npy(x, huge, {}); },
                             {"huge.npy", std::to_string(label).c_str(), "element 2"});
  }
  expect_error<InputError>([&] { (void)read_npy(x, y, {}); }, {"y.npy", "3 labels", "2 samples"});
}

}  // namespace
}  // namespace dnn
