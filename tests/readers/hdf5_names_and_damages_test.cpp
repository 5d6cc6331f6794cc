// HDF5 files whose datasets are not found as usual, and those that are refused.

#include <gtest/gtest.h>

#include <filesystem>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/readers/data_source.hpp"
#include "support/archive_files.hpp"
#include "support/dataset_row.hpp"
#include "support/expect_error.hpp"
#include "support/hdf5_files.hpp"
#include "support/hdf5_reading.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::Hdf5Writer;
using test::labels_of;
using test::numbers_from;
using test::read_h5;
using test::refuses_hdf5;
using test::row;
using test::TemporaryFolder;
using test::Texts;

TEST(Hdf5, WhatIsNotThereIsNamed) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  Hdf5Writer(path)
      .numbers<float>("in/a", {2, 1}, {1, 2})
      .numbers<std::int32_t>("in/b", {2}, {0, 1});
  refuses_hdf5(path,
               {"d.h5: no dataset is named as features are", "'/in/a', '/in/b'", "file.h5:/x,/y"});
  for (const char* name : {"/x", "in", "/in/c", "/", ""}) {
    const std::string said = "there is no dataset '" + std::string(name) + "'";
    refuses_hdf5(path + ":" + (*name == '\0' ? ",/in/b" : name),
                 {said.c_str(), "The file holds the datasets '/in/a', '/in/b'"});
  }
  refuses_hdf5(path + ":/in/a,/in/d", {"there is no dataset '/in/d'"});
  expect_error<FileError>([&] { (void)read_h5(folder / "missing.h5:/x,/y"); },
                          {"missing.h5: ", "No such file"});
  refuses_hdf5(folder / "missing-*.h5:/x,/y", {"missing-*.h5: no file matches this pattern"});
  const std::string text = folder.write("text.h5", "a,b\n1,2\n");
  refuses_hdf5(text, {"text.h5: not an HDF5 file"});
  refuses_hdf5(text + ":/x", {"text.h5: not an HDF5 file"});
  refuses_hdf5(text + "," + path + ":/x", {"text.h5: not an HDF5 file"});
  refuses_hdf5(path + "," + text + ":/x", {"d.h5: there is no dataset '/x'"});
  const std::string empty = folder / "empty.h5";
  { const Hdf5Writer nothing(empty); }
  refuses_hdf5(empty, {"empty.h5: the HDF5 file holds no datasets"});
  const std::string twice = folder / "twice.h5";
  Hdf5Writer(twice).numbers<float>("a/x", {2, 1}, {1, 2}).numbers<float>("b/x", {2, 1}, {1, 2});
  refuses_hdf5(twice, {"'/a/x' and '/b/x' may both be meant"});
}

TEST(Hdf5, WhatCannotBeReadIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  const hid_t compound = H5Tcreate(H5T_COMPOUND, 8);
  ASSERT_GE(H5Tinsert(compound, "a", 0, H5T_NATIVE_DOUBLE), 0);
  const hid_t list = H5Tvlen_create(H5T_NATIVE_DOUBLE);
  const hsize_t three = 3;
  const hid_t small = H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &three);
  const hid_t opaque = H5Tcreate(H5T_OPAQUE, 4);
  Hdf5Writer(path)
      .zeros("compound", {2, 1}, compound)
      .zeros("list", {2, 1}, list)
      .zeros("array", {2, 1}, small)
      .zeros("opaque", {2, 1}, opaque)
      .zeros("long", {2, 1}, H5T_NATIVE_LDOUBLE)
      .zeros("reference", {2, 1}, H5T_STD_REF_OBJ)
      .zeros("scalar", {}, H5T_NATIVE_DOUBLE)
      .zeros("none", {0, 2}, H5T_NATIVE_DOUBLE, {.chunk = {1, 2}})
      .zeros("rows", {3, 2}, H5T_NATIVE_DOUBLE)
      .numbers<std::int32_t>("y", {2}, {0, 1});
  H5Tclose(compound);
  H5Tclose(list);
  H5Tclose(small);
  H5Tclose(opaque);
  refuses_hdf5(path + ":compound,y", {"d.h5:/compound", "named columns", "plain array"});
  refuses_hdf5(path + ":list,y", {"d.h5:/list", "lists of different lengths"});
  refuses_hdf5(path + ":array,y", {"d.h5:/array", "further dimensions"});
  refuses_hdf5(path + ":opaque,y", {"d.h5:/opaque", "opaque bytes"});
  refuses_hdf5(path + ":long,y", {"d.h5:/long", "save them as double"});
  refuses_hdf5(path + ":reference,y", {"d.h5:/reference", "references"});
  refuses_hdf5(path + ":scalar,y", {"d.h5:/scalar", "a single value"});
  refuses_hdf5(path + ":rows,y", {"d.h5:y: 2 labels, but ", "d.h5:rows has 3 samples"});
  refuses_hdf5(path + ":none,y", {"2 labels", "0 samples"});
}

TEST(Hdf5, MoreThanMemoryIsRefusedBeforeItIsTaken) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  // 8 TB of zeros that nobody has written, in some kilobytes.
  Hdf5Writer(path)
      .zeros("x", {1'000'000'000, 1000}, H5T_NATIVE_DOUBLE, {.chunk = {1000, 1000}})
      .zeros("y", {1'000'000'000'000}, H5T_NATIVE_INT32, {.chunk = {1000}})
      .zeros("huge", {1ULL << 62, 1ULL << 62}, H5T_NATIVE_DOUBLE, {.chunk = {1000, 1}})
      .numbers<float>("small", {2, 1}, {1, 2});
  EXPECT_LT(std::filesystem::file_size(path), 100'000U);
  refuses_hdf5(path + ":x,y", {"d.h5:x: a copy of its elements needs 7450.6 GiB of memory"});
  refuses_hdf5(path + ":small,y", {"d.h5:y: a copy of its elements needs", "of memory"});
  refuses_hdf5(path + ":huge,y", {"d.h5:/huge: corrupt shape"});
}

TEST(Hdf5, DamagedFilesAreRefusedWithTheLibrarysReason) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  Hdf5Writer(path)
      .numbers("x", {500, 2}, numbers_from<double>(0, 1000), {.chunk = {100, 2}, .deflate = 9})
      .numbers("y", {500}, numbers_from<std::int32_t>(0, 500));
  const std::string whole = test::read_file(path);
  testing::internal::CaptureStderr();
  refuses_hdf5(folder.write("cut.h5", whole.substr(0, whole.size() - 100)),
               {"cut.h5: truncated or corrupt HDF5 file: ", "truncated file"});
  refuses_hdf5(folder.write("head.h5", whole.substr(0, 20)), {"head.h5: truncated or corrupt"});
  std::string damaged = whole;
  const std::size_t packed = damaged.find("\x78\xda");  // of a chunk
  ASSERT_NE(packed, std::string::npos);
  std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(packed), 100, '\x55');
  refuses_hdf5(folder.write("chunk.h5", damaged),
               {"chunk.h5:/x: rows 1 to 500 cannot be read", "inflate"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");  // the library prints nothing
}

TEST(Hdf5, FiltersThatAreMissingAreNamed) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  {
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const std::vector<hsize_t> shape = {2, 2};
    ASSERT_GE(H5Pset_chunk(creation, 2, shape.data()), 0);
    // Optional: the library writes without it.
    ASSERT_GE(H5Pset_filter(creation, 32004, H5Z_FLAG_OPTIONAL, 0, nullptr), 0);
    const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
    const hid_t dataset =
        H5Dcreate2(file, "x", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    ASSERT_GE(dataset, 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(creation);
    H5Fclose(file);
  }
  refuses_hdf5(path, {"d.h5:/x: compressed by filter 32004", "HDF5_PLUGIN_PATH", "h5repack"});
}

TEST(Hdf5, ElementsInOtherFilesAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  {
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const std::vector<hsize_t> shape = {2, 2};
    ASSERT_GE(H5Pset_external(creation, "secret", 0, 16), 0);
    const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
    H5Dclose(H5Dcreate2(file, "x", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(creation);
    H5Fclose(file);
  }
  refuses_hdf5(path, {"d.h5:/x: its elements are in other files"});
}

TEST(Hdf5, ExternalLinksAreRefused) {
  const TemporaryFolder folder;
  Hdf5Writer(folder / "other.h5")
      .numbers<float>("x", {2, 1}, {1, 2})
      .numbers<float>("in/x", {2, 1}, {1, 2});
  const std::string path = folder / "d.h5";
  Hdf5Writer(path)
      .external_link("x", "other.h5", "/x")
      .external_link("group", "other.h5", "/in")
      .external_link("missing", "none.h5", "/x")
      .soft_link("soft", "/x")
      .numbers<std::int32_t>("y", {2}, {0, 1});
  for (const std::string& source :
       {path, path + ":x,y", path + ":/group/x,y", path + ":/soft,y", path + ":y,x"}) {
    refuses_hdf5(source, {"its elements are in another file (the path is an external link)"});
  }
  refuses_hdf5(path + ":missing,y", {"d.h5:/missing: corrupt, or a link to another file"});
  refuses_hdf5(path + ":group,y", {"d.h5:/group: corrupt, or a link to another file"});
  // A file that holds a link beside its only dataset does not have one dataset.
  Hdf5Writer(folder / "one.h5")
      .numbers<float>("a", {2, 2}, {1, 2, 3, 4})
      .external_link("b", "none.h5", "/x");
  refuses_hdf5(folder / "one.h5", {"no dataset is named as features are", "'/a', '/b'"});
}

TEST(Hdf5, LinksWithinAFileAreNames) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  Hdf5Writer(path)
      .numbers<float>("store/a", {2, 1}, {1, 2})
      .numbers<std::int32_t>("store/b", {2}, {5, 6})
      .soft_link("x", "/store/a")
      .hard_link("y", "/store/b")
      .soft_link("nowhere", "/store/c")
      .soft_link("a_group", "/store");
  const Dataset data = read_h5(path);
  EXPECT_EQ(row(data, 1), (std::vector<double>{2}));
  EXPECT_EQ(labels_of(data), (Texts{"5", "6"}));
  refuses_hdf5(path + ":z", {"holds the datasets '/store/a', '/store/b', '/x', '/y'."});
  refuses_hdf5(path + ":nowhere", {"there is no dataset 'nowhere'"});
  // Two names that mean the same are one, but not those of two parts.
  const std::string twice = folder / "twice.h5";
  Hdf5Writer(twice)
      .numbers<float>("run/x", {2, 1}, {1, 2})
      .numbers<std::int32_t>("run/y", {2}, {5, 6})
      .hard_link("also/x", "/run/x")
      .soft_link("also/y", "/run/y");
  EXPECT_EQ(labels_of(read_h5(twice)), (Texts{"5", "6"}));
  const std::string parts = folder / "parts.h5";
  Hdf5Writer(parts)
      .numbers<float>("all/x", {2, 1}, {1, 2})
      .numbers<std::int32_t>("all/y", {2}, {5, 6})
      .hard_link("train/x", "/all/x")
      .hard_link("train/y", "/all/y")
      .hard_link("test/x", "/all/x")
      .hard_link("test/y", "/all/y");
  EXPECT_TRUE(DataSource(parts).has_test_part(true));
}

TEST(Hdf5, LzfChunksAreAsLargeAsTheDatasetSays) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  const std::vector<float> values = numbers_from<float>(1, 8);
  const std::string plain(reinterpret_cast<const char*>(values.data()), 32);
  const std::string whole = "\x1f" + plain;  // 32 bytes as they are
  const std::string half = "\x0f" + plain.substr(0, 16);
  const auto write = [&](unsigned bytes, const std::string& chunk) {
    if (H5Zfilter_avail(32000) > 0) {  // with the reader's, which only unpacks, nothing is written
      ASSERT_GE(H5Zunregister(32000), 0);
    }
    Hdf5Writer(path)
        .zeros("x", {2, 4}, H5T_NATIVE_FLOAT, {.chunk = {2, 4}, .lzf = {4, 0x105, bytes}})
        .packed_chunk("x", {0, 0}, chunk)
        .numbers<std::int32_t>("y", {2}, {0, 1});
  };
  write(32, whole);
  EXPECT_EQ(row(read_h5(path), 1), (std::vector<double>{5, 6, 7, 8}));
  write(32, half);
  refuses_hdf5(path, {"d.h5:/x: rows 1 to 2 cannot be read"});
  write(16, half);
  refuses_hdf5(path, {"d.h5:/x: corrupt: filter 32000 (lzf) unpacks chunks of 16 bytes, but those "
                      "of the dataset have 32"});
  write(64, whole);
  refuses_hdf5(path, {"unpacks chunks of 64 bytes"});
}

TEST(Hdf5, ShapesOfTextsThatOverflowAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  const hid_t fixed = H5Tcopy(H5T_C_S1);
  ASSERT_GE(H5Tset_size(fixed, 32), 0);
  const hid_t wide = H5Tcopy(H5T_C_S1);
  ASSERT_GE(H5Tset_size(wide, 1U << 20U), 0);
  const hid_t variable = H5Tcopy(H5T_C_S1);
  ASSERT_GE(H5Tset_size(variable, H5T_VARIABLE), 0);
  Hdf5Writer(path)
      .numbers<float>("x", {1, 1}, {1})
      .zeros("fixed", {1, (1ULL << 59U) + 1}, fixed, {.chunk = {1, 1000}})
      .zeros("wide", {1, (1ULL << 44U) + 1}, wide, {.chunk = {1, 10}})
      .zeros("variable", {(1ULL << 59U) + 1}, variable, {.chunk = {1000}})
      .zeros("fits", {1, 1ULL << 58U}, fixed, {.chunk = {1, 1000}});
  H5Tclose(fixed);
  H5Tclose(wide);
  H5Tclose(variable);
  for (const char* name : {"fixed", "wide", "variable"}) {
    const std::string said = "d.h5:/" + std::string(name) + ": corrupt shape";
    refuses_hdf5(path + ":x," + name, {said.c_str()});
  }
  refuses_hdf5(path + ":x,fits", {"d.h5:fits: "});
}

TEST(Hdf5, LongTextsAreReadInSlabs) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  constexpr hsize_t rows = 128;
  const hid_t wide = H5Tcopy(H5T_C_S1);
  ASSERT_GE(H5Tset_size(wide, 4U << 20U), 0);
  Hdf5Writer(path)
      .numbers("x", {rows, 1}, numbers_from<float>(0, rows))
      .zeros("y", {rows}, wide);  // 512 MiB that nobody has written
  H5Tclose(wide);
  const std::size_t before = peak_memory();
  refuses_hdf5(path, {"empty"});
  EXPECT_LT(peak_memory(), before + (std::size_t{400} << 20U));
}

TEST(Hdf5, FoldersOfSeveralKinds) {
  const TemporaryFolder folder;
  Hdf5Writer(folder / "a.h5")
      .numbers<float>("x", {2, 1}, {1, 2})
      .numbers<float>("z", {2, 1}, {3, 4})
      .numbers<std::int32_t>("y", {2}, {0, 1});
  // Tables are left alone, as beside arrays.
  folder.write("README.txt", "a,b\n1,2\n");
  folder.write("test.csv", "a,b\n1,2\n");
  EXPECT_EQ(row(read_h5(folder.path()), 1), (std::vector<double>{2}));
  EXPECT_EQ(row(read_h5(folder.path() + ":/z,/y"), 1), (std::vector<double>{4}));
  EXPECT_FALSE(DataSource(folder.path()).has_test_part(false));
  // Arrays may be meant as well, unless names say otherwise.
  folder.write("X_train.npy", "no array");
  refuses_hdf5(folder.path(), {"the folder holds NPY or IDX files and HDF5 files", ":/x,/y"});
  EXPECT_EQ(row(read_h5(folder.path() + ":/z,/y"), 1), (std::vector<double>{4}));
  // Names of what a test part alone holds.
  const TemporaryFolder tests;
  Hdf5Writer(tests / "test.h5").numbers<float>("x", {1, 1}, {7}).numbers<float>("y", {1}, {1});
  EXPECT_EQ(row(read_h5(tests.path() + ":/x,/y"), 0), (std::vector<double>{7}));
}

TEST(Hdf5, NamesInTheFileForgeNoLines) {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  const std::string name = "a\nerror: forged";
  Hdf5Writer(path).numbers<float>(name, {2, 2}, {1, 0, 3, 1});
  const Dataset data = read_h5(path);
  ASSERT_EQ(data.notes.size(), 1U);
  EXPECT_NE(data.notes[0].find("the features are /a\\nerror: forged (as in"), std::string::npos);
  Hdf5Writer(path).zeros(name, {2, 2}, H5T_NATIVE_LDOUBLE);
  refuses_hdf5(path, {"d.h5:/a\\nerror: forged: its elements are"});
  Hdf5Writer(path).texts(name, {"a", "b"}, false);
  refuses_hdf5(path, {"d.h5:/a\\nerror: forged: the elements are text"});
}

}  // namespace
}  // namespace dnn
