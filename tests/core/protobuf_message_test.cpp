#include "dnn/core/protobuf_message.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dnn {
namespace {

using namespace std::string_literals;

TEST(ProtobufMessage, WritesEachTypeOfField) {
  EXPECT_EQ(ProtobufMessage().add(1, 150).bytes(), "\x08\x96\x01"s);  // the guide's example
  EXPECT_EQ(ProtobufMessage().add(2, "testing").bytes(), "\x12\x07testing"s);
  EXPECT_EQ(ProtobufMessage().add(1, 1.5).bytes(), "\x09\0\0\0\0\0\0\xf8\x3f"s);
  EXPECT_EQ(ProtobufMessage().add(2, 1.5F).bytes(), "\x15\0\0\xc0\x3f"s);
  const std::vector<double> two = {1.5, 0};
  EXPECT_EQ(ProtobufMessage().add(6, std::span<const double>(two)).bytes(),
            "\x32\x10\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\0"s);
  const ProtobufMessage inner = ProtobufMessage().add(1, -1);
  EXPECT_EQ(ProtobufMessage().add(3, inner).bytes(),
            "\x1a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  EXPECT_EQ(ProtobufMessage().add(100, 0).bytes(), "\xa0\x06\x00"s);
}

}  // namespace
}  // namespace dnn
