#include "dnn/exports/export_file.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "dnn/exports/cpp_header.hpp"
#include "dnn/exports/stored_zip.hpp"
#include "support/expect_error.hpp"
#include "support/saved_model_example.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using Json = nlohmann::ordered_json;
using test::SavedModelExample;
using test::TemporaryFolder;

SavedModel example_model(const SavedModelExample& example) {
  return {example.description, packed_parameters<float>(example.layout, example.values)};
}

template <class T>
std::vector<T> numbers_in(std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(ExportedModel, HasEachLayerAndTheScaling) {
  SavedModelExample example;
  const ExportedModel model(example_model(example));
  std::vector<std::string> names;
  for (const ExportedTensor& tensor : model.tensors()) {
    names.push_back(tensor.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"W1", "B1", "W2", "B2", "center", "scale"}));
  EXPECT_EQ(model.tensors()[2].shape, (std::vector<std::uint64_t>{5, 2}));
  EXPECT_EQ(model.tensors()[3].bytes.size(), 2 * sizeof(float));
  EXPECT_EQ(numbers_in<float>(model.tensors()[3].bytes)[1],
            example.values[example.layout.layers()[1].bias.begin + 1]);
  EXPECT_EQ(numbers_in<double>(model.tensors()[4].bytes), (std::vector<double>{0.1, 1e300, -2}));
  const Json description = Json::parse(model.description_json());
  EXPECT_EQ(description["output_names"], Json(example.description.class_names));
  EXPECT_EQ(description["input_names"], Json({"a", "b", "c"}));
  // Without a normalization the scaling leaves values as they are.
  example.description.normalizer = {};
  const ExportedModel plain(example_model(example));
  EXPECT_EQ(numbers_in<double>(plain.tensors()[5].bytes), std::vector<double>(3, 1.0));
}

TEST(ExportFile, SafetensorsSayWhereTheirArraysAre) {
  const TemporaryFolder folder;
  const SavedModelExample example;
  const ExportedModel model(example_model(example));
  export_model(model, ExportFormat::safetensors, folder / "m.safetensors");
  const std::string file = test::read_file(folder / "m.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  EXPECT_EQ(length % 8, 0U);
  const Json head = Json::parse(file.substr(8, length));
  std::uint64_t sum = 0;
  for (const ExportedTensor& tensor : model.tensors()) {
    const Json& place = head.at(tensor.name);
    const auto begin = place["data_offsets"][0].get<std::uint64_t>();
    const auto end = place["data_offsets"][1].get<std::uint64_t>();
    ASSERT_LE(8 + length + end, file.size());
    EXPECT_EQ(std::memcmp(file.data() + 8 + length + begin, tensor.bytes.data(), end - begin), 0);
    EXPECT_EQ(begin % element_bytes(tensor.type), 0U);
    sum += end - begin;
  }
  EXPECT_EQ(8 + length + sum, file.size());
  EXPECT_EQ(head["__metadata__"]["description"], model.description_json());
}

TEST(ExportFile, TheSameModelGivesTheSameBytes) {
  const TemporaryFolder folder;
  const SavedModelExample example;
  for (const ExportFormat format :
       {ExportFormat::npz, ExportFormat::safetensors, ExportFormat::onnx, ExportFormat::header}) {
    export_model(ExportedModel(example_model(example)), format, folder / "a");
    export_model(ExportedModel(example_model(example)), format, folder / "b");
    EXPECT_EQ(test::read_file(folder / "a"), test::read_file(folder / "b"));
  }
  test::expect_error<FileError>(
      [&] {
        export_model(ExportedModel(example_model(example)), ExportFormat::npz,
                     folder / "none/m.npz");
      },
      {"none/m.npz"});
}

TEST(StoredZip, KnowsTheCheckValueOfItsChecksum) {
  const std::string text = "123456789";
  EXPECT_EQ(crc32_of(std::as_bytes(std::span(text))), 0xcbf43926U);
}

TEST(CppHeader, NamesStayStrings) {
  SavedModelExample example;
  example.description.class_names = {
      "\"; } \\ ?"
      "?/ \n #include <x>",
      "\xc3\xa9"
      "1"};
  example.description.program = "p\n#error \\";
  const std::string text = cpp_header(ExportedModel(example_model(example)));
  EXPECT_NE(text.find(R"("\042; } \134 \077\077/ \012 #include <x>")"), std::string::npos);
  EXPECT_NE(text.find(R"("\303\2511")"), std::string::npos);
  EXPECT_EQ(text.find("\n#error"), std::string::npos);
}

TEST(CppHeader, RefusesLargeModels) {
  SavedModel model;
  model.description.widths = {70'000, 2};
  model.parameters.resize((70'000 * 2 + 2) * sizeof(float));
  const ExportedModel wide(std::move(model));
  test::expect_error<InputError>([&] { (void)cpp_header(wide); }, {"65536", "70000", "npz"});
}

}  // namespace
}  // namespace dnn
