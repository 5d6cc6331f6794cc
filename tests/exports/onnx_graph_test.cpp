#include "dnn/exports/onnx_graph.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "dnn/exports/onnx_model.hpp"
#include "support/expect_error.hpp"
#include "support/saved_model_example.hpp"

namespace dnn {
namespace {

TEST(ProtobufMessage, WritesTheExamplesOfItsSpecification) {
  ProtobufMessage a;
  a.add(1, 150);
  EXPECT_EQ(a.bytes(), std::string("\x08\x96\x01"));
  ProtobufMessage b;
  b.add(2, "testing");
  EXPECT_EQ(b.bytes(), std::string("\x12\x07testing"));
  ProtobufMessage c;
  c.add(3, a);
  EXPECT_EQ(c.bytes(), std::string("\x1a\x03\x08\x96\x01"));
  ProtobufMessage d;
  d.add(1, -1);
  EXPECT_EQ(d.bytes(), "\x08" + std::string(9, '\xff') + "\x01");
}

TEST(OnnxGraph, EachInputHasANameOfItsOwn) {
  OnnxGraph graph;
  graph.add_input("value_1", OnnxType::f64, 1);
  graph.add_input("numbers", OnnxType::f64, 1);
  EXPECT_EQ(graph.node("Relu", {"value_1"}), "value_2");
  EXPECT_EQ(graph.free_name("numbers"), "numbers_");
  EXPECT_EQ(graph.free_name("probabilities"), "probabilities");
  test::expect_error<InputError>([&] { graph.add_input("numbers", OnnxType::f64, 1); },
                                 {"two are called", "numbers", "--format"});
  test::expect_error<InputError>([&] { graph.add_input("", OnnxType::f64, 1); }, {"one has none"});
}

TEST(OnnxModel, RefusesColumnsOfOneName) {
  test::SavedModelExample example;
  for (const char* name : {"a", "b", "a"}) {
    example.description.schema.columns.push_back({.name = name});
  }
  const ExportedModel model(
      {example.description, packed_parameters<float>(example.layout, example.values)});
  test::expect_error<InputError>([&] { (void)onnx_model(model); }, {"'a'", "--format"});
}

}  // namespace
}  // namespace dnn
