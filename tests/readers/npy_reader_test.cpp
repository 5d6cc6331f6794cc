#include "dnn/readers/npy_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "dnn/core/error.hpp"
#include "dnn/data/feature_statistics.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/readers/half.hpp"
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
  const auto cube = folder.write("c.npy", npy<float>("<f4", "(1, 2, 2)", {1, 0, 0, 1}));
  expect_error<InputError>([&] { (void)read_npy(x, cube, {}); },
                           {"c.npy", "4 labels in several dimensions", "2 samples"});
  for (const std::vector<float>& second :
       {std::vector<float>{0, 0}, {1, 1}, {0.25, 0.75}, {2, 0}}) {
    const auto bad =
        folder.write("h.npy", npy<float>("<f4", "(2, 2)", {1, 0, second[0], second[1]}));
    expect_error<InputError>([&] { (void)read_npy(x, bad, {}); },
                             {"h.npy: the label of sample 2", "not one-hot"});
  }
  const auto text = folder.write("t.npy", npy<char>("|S1", "(2, 2)", {'a', 'b', 'c', 'd'}));
  expect_error<InputError>([&] { (void)read_npy(x, text, {}); },
                           {"t.npy: labels as text need one dimension"});
  expect_error<InputError>([&] { (void)read_npy(x, {}, {}); },
                           {"x.npy", "1.5", "--label-column", "features.npy,labels.npy"});
}

TEST(Npy, ColumnsThatAreNeitherFeaturesNorALabelMoreAreCounted) {
  const TemporaryFolder folder;
  const auto x = folder.write("x.npy", npy<float>("<f4", "(2, 2)", {0.5, 1.5, 2.5, 3}));
  EXPECT_FALSE(read_npy(x, {}, {.features = 2}).has_labels());
  expect_error<InputError>([&] { (void)read_npy(x, {}, {.features = 5}); },
                           {"x.npy: 2 columns, but a sample needs 5 features"});
  expect_error<InputError>([&] { (void)read_npy(x, {}, {.features = 1}); },
                           {"x.npy", "1.5", "is not a class"});
}

TEST(Npy, TargetsOfATaskAreRowsOfNumbers) {
  const TemporaryFolder folder;
  const auto x = folder.write("x.npy", npy<float>("<f4", "(2, 2)", {0.5, 1.5, 2.5, 3.5}));
  const auto y = folder.write("y.npy", npy<double>("<f8", "(2, 2)", {1.7e9 + 0.25, 1, -2, 0}));
  const auto targets = [](const Dataset& data) {
    const auto rows = data.target_rows.as<double>();
    return std::vector<double>(rows.begin(), rows.end());
  };
  const Dataset data = read_npy(x, y, {.task = Task::numbers});
  EXPECT_EQ(targets(data), (std::vector<double>{1.7e9 + 0.25, 1, -2, 0}));
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"target 1", "target 2"}));
  // A column of the array itself.
  const Dataset last = read_npy(x, {}, {.task = Task::numbers});
  EXPECT_EQ(last.features, 1U);
  EXPECT_EQ(targets(last), (std::vector<double>{1.5, 3.5}));
  expect_error<InputError>([&] { (void)read_npy(x, y, {.task = Task::labels}); },
                           {"sample 1", "'target 1'", "neither 0 nor 1"});
  // Of a single sample, a number without dimensions.
  const auto one = folder.write("one.npy", npy<float>("<f4", "(1, 2)", {0.5, 1.5}));
  const auto scalar = folder.write("scalar.npy", npy<double>("<f8", "()", {3.5}));
  EXPECT_EQ(targets(read_npy(one, scalar, {.task = Task::numbers})), (std::vector<double>{3.5}));
  const auto odd = folder.write("z.npy", npy<double>("<f8", "(3,)", {1, 2, 3}));
  expect_error<InputError>([&] { (void)read_npy(x, odd, {.task = Task::numbers}); },
                           {"z.npy", "--task numbers", "2 samples"});
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

/// The bytes of each element in the other order.
template <class T>
std::vector<T> swapped(std::vector<T> elements) {
  for (T& element : elements) {
    auto* const bytes = reinterpret_cast<unsigned char*>(&element);
    std::reverse(bytes, bytes + sizeof(T));
  }
  return elements;
}

TEST(Npy, BothByteOrdersAndBothOrdersOfElements) {
  const TemporaryFolder folder;
  const auto y =
      folder.write("y.npy", npy<std::int16_t>(">i2", "(2, 1)", swapped<std::int16_t>({300, -2})));
  const auto reads = [&](const std::string& contents) {
    const Dataset data = read_npy(folder.write("x.npy", contents), y, {});
    EXPECT_EQ(data.class_names, (std::vector<std::string>{"-2", "300"}));
    return row(data, 1);
  };
  const std::vector<double> second = {4, 5, 6};
  EXPECT_EQ(reads(npy<float>(">f4", "(2, 3)", swapped<float>({1, 2, 3, 4, 5, 6}))), second);
  EXPECT_EQ(reads(npy<float>("<f4", "(2, 3)", {1, 4, 2, 5, 3, 6}, true)), second);
  EXPECT_EQ(reads(npy<double>(">f8", "(2, 3)", swapped<double>({1, 4, 2, 5, 3, 6}), true)), second);
  EXPECT_EQ(reads(npy<std::uint16_t>(">u2", "(2, 3)", swapped<std::uint16_t>({1, 2, 3, 4, 5, 6}))),
            second);
  EXPECT_EQ(reads(npy<std::int64_t>(">i8", "(2, 3)", swapped<std::int64_t>({1, 2, 3, 4, 5, 6}))),
            second);
  // Of an order that makes no difference, the file stays mapped.
  const auto column = folder.write("c.npy", npy<float>("<f4", "(2, 1)", {1, 2}, true));
  EXPECT_EQ(read_npy(column, y, {}).values.mapped_path, column);
}

TEST(Npy, ImagesInFortranOrder) {
  const TemporaryFolder folder;
  constexpr std::size_t samples = 150;  // more than are copied at once
  constexpr std::size_t extents[] = {samples, 2, 3, 4};
  std::vector<std::int32_t> fortran(samples * 24);
  for (std::size_t i = 0; i < samples; ++i) {
    for (std::size_t a = 0; a < 2; ++a) {
      for (std::size_t b = 0; b < 3; ++b) {
        for (std::size_t c = 0; c < 4; ++c) {
          fortran[i + extents[0] * (a + extents[1] * (b + extents[2] * c))] =
              static_cast<std::int32_t>(1000 * i + (a * 3 + b) * 4 + c);
        }
      }
    }
  }
  const auto x = folder.write("x.npy", npy<std::int32_t>("<i4", "(150, 2, 3, 4)", fortran, true));
  const Dataset data = read_npy(x, "", {.features = 24});
  for (const std::uint64_t sample : {0U, 63U, 64U, 149U}) {
    const auto features = row(data, sample);
    for (std::size_t j = 0; j < 24; ++j) {
      EXPECT_EQ(features[j], static_cast<double>(1000 * sample + j));
    }
  }
}

TEST(Npy, HalfPrecisionAndBool) {
  const TemporaryFolder folder;
  // 1, -2, the largest number, the smallest normal and the smallest subnormal one, and -0.
  const std::vector<std::uint16_t> halves = {0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000};
  const std::vector<double> numbers = {1, -2, 65504, 0x1p-14, 0x1p-24, -0.0};
  for (const bool big : {false, true}) {
    const auto x = folder.write(
        "h.npy", npy<std::uint16_t>(big ? ">f2" : "<f2", "(1, 6)", big ? swapped(halves) : halves));
    const Dataset data = read_npy(x, "", {.features = 6});
    EXPECT_EQ(data.element, ElementType::f32);
    EXPECT_EQ(row(data, 0), numbers);
  }
  EXPECT_TRUE(std::isinf(float_from_half(0x7c00)));
  EXPECT_TRUE(std::isnan(float_from_half(0x7e00)));
  const auto b = folder.write("b.npy", npy<std::uint8_t>("|b1", "(2, 2)", {0, 1, 1, 0}));
  const auto y = folder.write("y.npy", npy<std::uint8_t>("|b1", "(2,)", {1, 0}));
  const Dataset data = read_npy(b, y, {});
  EXPECT_EQ(row(data, 1), (std::vector<double>{1, 0}));
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"0", "1"}));
}

TEST(Npy, ElementsAnywhereInTheFile) {
  const TemporaryFolder folder;
  std::string odd = npy<double>("<f8", "(2, 2)", {1, 2, 3, 4});
  odd.insert(odd.find('\n'), 3, ' ');  // a header of three bytes more
  odd[8] = static_cast<char>(odd[8] + 3);
  const Dataset data = read_npy(folder.write("x.npy", odd), "", {.features = 2});
  EXPECT_TRUE(data.values.mapped_path.empty());
  EXPECT_EQ(row(data, 1), (std::vector<double>{3, 4}));
}

TEST(Npy, LabelsAsText) {
  const TemporaryFolder folder;
  const auto x = folder.write("x.npy", npy<float>("<f4", "(3, 1)", {1, 2, 3}));
  const auto classes = [&](const std::string& labels) {
    const Dataset data = read_npy(x, folder.write("y.npy", labels), {});
    EXPECT_EQ(data.label_view()[0], data.label_view()[2]);
    return data.class_names;
  };
  const std::vector<std::uint32_t> wide = {'n', 'o', 0, 0x20ac, 0xe9, 0x1f600, 'n', 'o', 0};
  const std::vector<std::string> names = {"no", "\xe2\x82\xac\xc3\xa9\xf0\x9f\x98\x80"};
  EXPECT_EQ(classes(npy<std::uint32_t>("<U3", "(3,)", wide)), names);
  EXPECT_EQ(classes(npy<std::uint32_t>(">U3", "(3, 1)", swapped(wide))), names);
  EXPECT_EQ(classes(npy<char>("|S2", "(3,)", {'n', 'o', 'y', '\0', 'n', 'o'})),
            (std::vector<std::string>{"no", "y"}));
  EXPECT_EQ(classes(npy<char>("|S1", "(3,)", {'9', '8', '9'})),
            (std::vector<std::string>{"8", "9"}));
  const auto refuses = [&](const std::string& labels, std::initializer_list<const char*> parts) {
    const auto y = folder.write("y.npy", labels);
    expect_error<InputError>([&] { (void)read_npy(x, y, {}); }, parts);
  };
  refuses(npy<std::uint32_t>("<U1", "(3,)", {'a', 0x110000, 'b'}),
          {"y.npy: corrupt", "element 2", "no character"});
  refuses(npy<char>("|S1", "(3,)", {'a', '\0', 'b'}), {"sample 2 has an empty label"});
}

TEST(Npy, OneHotLabels) {
  const TemporaryFolder folder;
  const auto x = folder.write("x.npy", npy<float>("<f4", "(2, 1)", {1, 2}));
  const auto check = [&](const std::string& labels) {
    const Dataset data = read_npy(x, folder.write("y.npy", labels), {});
    EXPECT_EQ(data.class_names, (std::vector<std::string>{"0", "2"}));
    EXPECT_EQ(data.label_view()[0], 1);
    EXPECT_EQ(data.label_view()[1], 0);
  };
  check(npy<float>("<f4", "(2, 3)", {0, 0, 1, 1, 0, 0}));
  check(npy<float>("<f4", "(2, 3)", {0, 1, 0, 0, 1, 0}, true));
  check(npy<std::uint8_t>("|b1", "(2, 3)", {0, 0, 1, 1, 0, 0}));
}

// Numbers that float tells apart only after normalization in double.
TEST(Npy, LargeNumbersKeepTheirLastDigits) {
  const TemporaryFolder folder;
  const auto check = [&](const std::string& contents) {
    const Dataset data = read_npy(folder.write("x.npy", contents), "", {.features = 1});
    const std::vector<std::uint64_t> samples = {0, 1, 2};
    FeatureStatistics statistics(1);
    statistics.add(data, samples);
    const Normalizer normalizer = statistics.normalizer(Normalization::standard);
    EXPECT_EQ(normalizer.center[0], 1700000001);
    std::vector<float> X(3);
    Gatherer<float>(data, normalizer).gather(samples, {X.data(), 3, 1});
    EXPECT_FLOAT_EQ(X[0], -std::sqrt(1.5F));
    EXPECT_FLOAT_EQ(X[1], 0);
    EXPECT_FLOAT_EQ(X[2], std::sqrt(1.5F));
  };
  check(npy<double>("<f8", "(3, 1)", {1700000000, 1700000001, 1700000002}));
  check(npy<std::int64_t>("<i8", "(3, 1)", {1700000000, 1700000001, 1700000002}));
  check(npy<std::int32_t>("<i4", "(3, 1)", {1700000000, 1700000001, 1700000002}));
  check(npy<std::uint64_t>(">u8", "(3, 1)",
                           swapped<std::uint64_t>({1700000000, 1700000001, 1700000002})));
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
  fails(npy<float>("<M8[ns]", "(1, 2)", {1, 2, 3, 4}), {"'<M8[ns]'", "astype"});
  fails(npy<float>("|O", "(2, 2)", {1, 2, 3, 4}), {"Python objects", "astype(str)"});
  fails(npy<float>("<U1", "(2, 2)", {1, 2, 3, 4}), {"text", "features must be numbers"});
  fails(npy<float>("|S0", "(2, 2)", {}), {"'|S0'"});
  std::string structured = good;
  structured.replace(structured.find("'<f4'"), 5, "[('a'");
  fails(structured, {"structured array", "structured_to_unstructured"});
  fails(npy<float>("<f4", "(4,)", {1, 2, 3, 4}), {"samples x features", "1 dimension"});
  fails(npy<float>("<f4", "(99999999999, 99999999999)", {1}), {"corrupt NPY header"});
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
