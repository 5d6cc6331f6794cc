#include "dnn/readers/hdf5_reader.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "dnn/readers/data_source.hpp"
#include "dnn/readers/half.hpp"
#include "support/archive_files.hpp"
#include "support/dataset_row.hpp"
#include "support/hdf5_files.hpp"
#include "support/hdf5_reading.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::Hdf5Storage;
using test::Hdf5Writer;
using test::labels_of;
using test::numbers_from;
using test::read_h5;
using test::refuses_hdf5;
using test::row;
using test::TemporaryFolder;
using test::Texts;

TEST(Hdf5, ContiguousNumbersStayInTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  Hdf5Writer(path)
      .numbers<float>("x", {3, 2}, {1, 2, 3, 4, 5, 6})
      .numbers<std::int64_t>("y", {3}, {7, 5, 7})
      .attribute("scale", 2);
  const Dataset data = read_h5(path);
  EXPECT_EQ(data.values.mapped_path, path);  // mapped, not copied
  EXPECT_EQ(data.element, ElementType::f32);
  EXPECT_EQ(row(data, 2), (std::vector<double>{5, 6}));
  EXPECT_EQ(labels_of(data), (Texts{"7", "5", "7"}));
  ASSERT_EQ(data.notes.size(), 1U);
  EXPECT_NE(data.notes[0].find("the features are /x, the labels /y"), std::string::npos);
  const std::string behind = folder / "user_block.h5";
  Hdf5Writer(behind, 1024)
      .numbers<double>("x", {2, 1}, {-1.5, 1e300})
      .numbers<std::int64_t>("y", {2}, {0, 1});
  const Dataset moved = read_h5(behind);
  EXPECT_EQ(moved.values.mapped_path, behind);
  EXPECT_EQ(row(moved, 1), (std::vector<double>{1e300}));
}

TEST(Hdf5, ChunksAreReadWhole) {
  // Chunks that cut rows and do not divide the number of rows; more than one slab of them.
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  constexpr std::size_t samples = 40'011;
  constexpr std::size_t features = 300;
  const auto values = numbers_from<std::uint16_t>(0, samples * features);
  std::vector<std::int32_t> labels(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    labels[i] = static_cast<std::int32_t>(i % 7);
  }
  Hdf5Writer(path)
      .numbers("in/x", {samples, 20, 15}, values, {.chunk = {1000, 7, 15}, .deflate = 1})
      .numbers("in/y", {samples, 1}, labels, {.chunk = {999, 1}});
  const Dataset data = read_h5(path + ":/in/x,in/y");
  EXPECT_EQ(data.samples, samples);
  EXPECT_EQ(data.features, features);
  EXPECT_EQ(data.element, ElementType::u16);
  EXPECT_TRUE(data.values.mapped_path.empty());
  ASSERT_EQ(data.values.size(), 2 * values.size());
  EXPECT_EQ(std::memcmp(data.values.view.data(), values.data(), data.values.size()), 0);
  EXPECT_EQ(data.label_view()[samples - 1], labels[samples - 1]);
  EXPECT_TRUE(data.notes.empty());  // the user has named them
}

TEST(Hdf5, EveryTypeOfNumberLosesNothing) {
  const TemporaryFolder folder;
  const auto check = [&](hid_t type, ElementType element, std::vector<double> values) {
    const std::string path = folder / "d.h5";
    Hdf5Writer(path)
        .numbers("x", {values.size(), 1}, values, {.type = type})
        .numbers<std::int32_t>("y", {values.size()}, numbers_from(0, values.size()));
    const Dataset data = read_h5(path);
    EXPECT_EQ(data.element, element) << type;
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(row(data, i), (std::vector<double>{values[i]})) << i;
    }
  };
  check(H5T_STD_U8BE, ElementType::u8, {0, 255});
  check(H5T_STD_I8LE, ElementType::i8, {-128, 127});
  check(H5T_STD_U16BE, ElementType::u16, {1, 65535});
  check(H5T_STD_I16LE, ElementType::i16, {-32768, 32767});
  check(H5T_STD_U32BE, ElementType::u32, {1, 4294967295.0});
  check(H5T_STD_I32BE, ElementType::i32, {-2147483648.0, 2147483647});
  check(H5T_STD_U64BE, ElementType::u64, {1, 0x1p63});
  check(H5T_STD_I64BE, ElementType::i64, {-0x1p63, 0x1p53});
  check(H5T_IEEE_F32BE, ElementType::f32, {0x1p-149, -1.5, 3e38F});
  check(H5T_IEEE_F64BE, ElementType::f64, {0x1p-1074, -1e300});
  // Of 3 bytes, of 12 bits in 2 bytes.
  const hid_t three = H5Tcopy(H5T_STD_I32LE);
  ASSERT_GE(H5Tset_precision(three, 24), 0);
  ASSERT_GE(H5Tset_size(three, 3), 0);
  check(three, ElementType::i32, {-8388608, 8388607});
  const hid_t twelve = H5Tcopy(H5T_STD_U16BE);
  ASSERT_GE(H5Tset_precision(twelve, 12), 0);
  check(twelve, ElementType::u16, {0, 4095});
  H5Tclose(three);
  H5Tclose(twelve);
}

TEST(Hdf5, EveryHalfIsRead) {
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);  // as NumPy's float16
  ASSERT_GE(H5Tset_fields(half, 15, 10, 5, 0, 10), 0);
  ASSERT_GE(H5Tset_size(half, 2), 0);
  ASSERT_GE(H5Tset_ebias(half, 15), 0);
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  std::vector<float> values;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7c00U) != 0x7c00U) {  // not infinite
      values.push_back(float_from_half(static_cast<std::uint16_t>(bits)));
    }
  }
  std::vector<std::int32_t> labels(values.size());
  labels[0] = 1;
  Hdf5Writer(path)
      .numbers("x", {values.size(), 1}, values, {.type = half})
      .numbers("y", {values.size()}, labels);
  H5Tclose(half);
  const Dataset data = read_h5(path);
  EXPECT_EQ(data.element, ElementType::f32);
  ASSERT_EQ(data.values.size(), values.size() * sizeof(float));
  EXPECT_EQ(std::memcmp(data.values.view.data(), values.data(), data.values.size()), 0);
}

TEST(Hdf5, BooleansAndEnumerationsAreNumbers) {
  const hid_t boolean = H5Tenum_create(H5T_NATIVE_INT8);  // as h5py has them
  for (const std::int8_t value : std::vector<std::int8_t>{0, 1}) {
    ASSERT_GE(H5Tenum_insert(boolean, value == 0 ? "FALSE" : "TRUE", &value), 0);
  }
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  for (const Hdf5Storage& storage : {Hdf5Storage{}, Hdf5Storage{.chunk = {2, 2}}}) {
    Hdf5Writer(path).numbers<std::int32_t>("y", {2}, {0, 1}).zeros("x", {2, 2}, boolean, storage);
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, "x", H5P_DEFAULT);
    const std::vector<std::int8_t> values = {1, 0, 0, 1};
    ASSERT_GE(H5Dwrite(dataset, boolean, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    H5Dclose(dataset);
    H5Fclose(file);
    const Dataset data = read_h5(path);
    EXPECT_EQ(data.element, ElementType::i8);
    EXPECT_EQ(row(data, 0), (std::vector<double>{1, 0}));
    EXPECT_EQ(row(data, 1), (std::vector<double>{0, 1}));
  }
  H5Tclose(boolean);
}

TEST(Hdf5, LabelsAreNumbersVectorsOrStrings) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  Hdf5Writer(path)
      .numbers<float>("x", {3, 2}, {1, 2, 3, 4, 5, 6})
      .numbers<float>("whole", {3}, {2, 0, 2})
      .numbers<std::uint8_t>("hot", {3, 3}, {0, 0, 1, 1, 0, 0, 0, 0, 1})
      .numbers<float>("half", {3}, {2, 0.5, 2})
      .texts("variable", {"kött", "a", "kött"}, true)
      .texts("fixed", {"kött", "a", "kött"}, false)
      .texts("blanks", {"kött", "a", "kött"}, false, H5T_STR_SPACEPAD)
      .texts("unset", {"b", "", "b"}, true)
      .soft_link("link", "/fixed");
  EXPECT_EQ(labels_of(read_h5(path + ":x,whole")), (Texts{"2", "0", "2"}));
  EXPECT_EQ(labels_of(read_h5(path + ":x,hot")), (Texts{"2", "0", "2"}));
  for (const char* name : {"variable", "fixed", "blanks", "link"}) {
    EXPECT_EQ(labels_of(read_h5(path + ":x," + name)), (Texts{"kött", "a", "kött"})) << name;
  }
  EXPECT_EQ(labels_of(read_h5(path + ":x", Part::train, {.label_column = "1"})),
            (Texts{"1", "3", "5"}));
  const Dataset targets = read_h5(path + ":x,half", Part::train, {.task = Task::numbers});
  EXPECT_EQ(targets.target_rows.as<double>()[1], 0.5);
  refuses_hdf5(path + ":x,half", {"d.h5:half: label 0.5 (element 2) is not a class"});
  refuses_hdf5(path + ":x,unset", {"empty"});
  refuses_hdf5(path + ":fixed", {"d.h5:fixed: the elements are text, but features"});
  refuses_hdf5(path + ":whole", {"d.h5:whole: features need an array of samples x features"});
}

TEST(Hdf5, FeaturesAloneForAModel) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  Hdf5Writer(path)
      .numbers<float>("x", {2, 3}, {1, 2, 3, 4, 5, 6})
      .numbers<float>("other", {2, 3}, {1, 2, 3, 4, 5, 6});
  const Dataset data = read_h5(path, Part::test, {.features = 3});
  EXPECT_FALSE(data.has_labels());
  EXPECT_EQ(data.features, 3U);
  EXPECT_FALSE(read_h5(path + ":/other", Part::test, {.features = 3}).has_labels());
}

TEST(Hdf5, TrainAndTestParts) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  for (const auto& [train, test] :
       {std::pair{"train", "test"}, {"Train", "Test"}, {"data/training", "data/testing"}}) {
    const std::string of_train = train;
    const std::string of_test = test;
    Hdf5Writer(path)
        .numbers<float>(of_train + "/x", {2, 1}, {1, 2})
        .numbers<std::int32_t>(of_train + "/y", {2}, {0, 1})
        .numbers<float>(of_test + "/x", {1, 1}, {3})
        .numbers<std::int32_t>(of_test + "/y", {1}, {1});
    DataSource source(path);
    EXPECT_TRUE(source.has_test_part(true)) << train;
    EXPECT_EQ(source.read(Part::train, {}).samples, 2U);
    EXPECT_EQ(row(source.read(Part::test, {}), 0), (std::vector<double>{3}));
    EXPECT_FALSE(DataSource(path + ":/" + of_train + "/x").has_test_part(false));
  }
}

TEST(Hdf5, SeveralFilesFollowEachOther) {
  const TemporaryFolder folder;
  Hdf5Writer(folder / "a-1.h5")
      .numbers<std::uint8_t>("x", {2, 1}, {1, 2})
      .texts("y", {"a", "bb"}, false);
  Hdf5Writer(folder / "a-2.h5")
      .numbers<float>("x", {3, 1}, {2.5, 3, 4}, {.chunk = {2, 1}})
      .texts("y", {"a", "cccc", "a"}, true);
  for (const std::string& source :
       {folder / "a-*.h5", folder / "a-*.h5:/x,/y", folder / "a-1.h5," + (folder / "a-2.h5"),
        folder / "a-1.h5," + (folder / "a-2.h5") + ":x,y", folder.path(), folder.path() + ":x,y"}) {
    const Dataset data = read_h5(source);
    EXPECT_EQ(data.samples, 5U) << source;
    EXPECT_EQ(data.element, ElementType::f32);
    EXPECT_EQ(row(data, 1), (std::vector<double>{2}));
    EXPECT_EQ(row(data, 2), (std::vector<double>{2.5}));
    EXPECT_EQ(labels_of(data), (Texts{"a", "bb", "a", "cccc", "a"}));
    EXPECT_NE(data.notes.front().find("2 files, "), std::string::npos);
  }
  const Dataset listed = read_h5(folder / "a-2.h5," + (folder / "a-1.h5") + ":x,y");
  EXPECT_EQ(row(listed, 0), (std::vector<double>{2.5}));
  EXPECT_EQ(labels_of(listed), (Texts{"a", "cccc", "a", "a", "bb"}));
  // A file whose name says so is the folder's test part.
  Hdf5Writer(folder / "Testing.H5").numbers<float>("x", {1, 1}, {9}).texts("y", {"bb"}, false);
  DataSource source(folder.path());
  EXPECT_TRUE(source.has_test_part(true));
  EXPECT_EQ(source.read(Part::train, {}).samples, 5U);
  EXPECT_EQ(row(source.read(Part::test, {}), 0), (std::vector<double>{9}));

  Hdf5Writer(folder / "b-1.h5").numbers<float>("x", {2, 1}, {1, 2}).texts("y", {"a"}, false);
  Hdf5Writer(folder / "b-2.h5").numbers<float>("x", {1, 1}, {1}).texts("y", {"a", "b"}, false);
  refuses_hdf5(folder / "b-*.h5", {"b-1.h5: /x has 2 rows, but /y has 1"});
  Hdf5Writer(folder / "c-1.h5").numbers<float>("x", {1, 2}, {1, 2}).texts("y", {"a"}, false);
  Hdf5Writer(folder / "c-2.h5").numbers<float>("x", {1, 3}, {1, 2, 3}).texts("y", {"a"}, false);
  refuses_hdf5(folder / "c-*.h5", {"c-2.h5:/x: its rows are 3 numbers, but those of ",
                                   "c-1.h5:/x are 2 numbers; name files whose rows are alike"});
  Hdf5Writer(folder / "d-1.h5").numbers<float>("x", {1, 1}, {1}).texts("y", {"a"}, false);
  Hdf5Writer(folder / "d-2.h5").numbers<float>("x", {1, 1}, {1}).numbers<float>("y", {1}, {1});
  refuses_hdf5(folder / "d-*.h5", {"d-2.h5:/y: its rows are a single number, but those of ",
                                   "d-1.h5:/y are a single string; name files"});
  Hdf5Writer(folder / "f-1.h5").numbers<float>("x", {1, 1}, {1}).numbers<float>("y", {1}, {1});
  Hdf5Writer(folder / "f-2.h5")
      .numbers<float>("x", {1, 1}, {1})
      .numbers<float>("y", {1, 2, 1}, {1, 0});
  refuses_hdf5(folder / "f-*.h5", {"f-2.h5:/y: its rows are 2 x 1 numbers, but those of ",
                                   "f-1.h5:/y are a single number; name files"});
  Hdf5Writer(folder / "e-1.h5").numbers<float>("x", {1, 1}, {1}).texts("y", {"a"}, false);
  Hdf5Writer(folder / "e-2.h5").numbers<float>("x", {1, 1}, {1});
  refuses_hdf5(folder / "e-*.h5", {"e-2.h5: there is no dataset '/y'", "'/x'"});
}

TEST(Hdf5, InsideOtherFiles) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  Hdf5Writer(path)
      .numbers<float>("a", {2, 1}, {1, 2})
      .numbers<std::int32_t>("y", {2}, {0, 1})
      .numbers<std::int32_t>("x", {2, 1}, {5, 6});
  const std::string contents = test::read_file(path);
  const std::string packed = folder.write("d.h5.zst", test::compressed("zstd", contents));
  EXPECT_EQ(row(read_h5(packed), 1), (std::vector<double>{6}));
  EXPECT_EQ(row(read_h5(packed + ":a,y"), 1), (std::vector<double>{2}));
  const std::string zipped =
      folder.write("d.zip", test::stored_zip({{"d.h5", contents}, {"readme", "text"}}));
  EXPECT_EQ(row(read_h5(zipped + ":d.h5"), 1), (std::vector<double>{6}));
  // By contents, whatever the name.
  EXPECT_EQ(row(read_h5(folder.write("d.bin", contents) + ":a,y"), 1), (std::vector<double>{2}));
}

TEST(Hdf5, CommonTypes) {
  EXPECT_EQ(common_type(ElementType::u8, ElementType::u8), ElementType::u8);
  EXPECT_EQ(common_type(ElementType::u8, ElementType::i8), ElementType::i16);
  EXPECT_EQ(common_type(ElementType::u16, ElementType::f32), ElementType::f32);
  EXPECT_EQ(common_type(ElementType::i32, ElementType::f32), ElementType::f64);
  EXPECT_EQ(common_type(ElementType::u32, ElementType::i8), ElementType::i64);
  EXPECT_EQ(common_type(ElementType::f64, ElementType::u8), ElementType::f64);
  EXPECT_EQ(common_type(ElementType::u64, ElementType::i64), ElementType::f64);
}

}  // namespace
}  // namespace dnn
