#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dnn {

/// A message in Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), field by
/// field as they are added. A writer of these field types needs no generated code and no library.
class ProtobufMessage {
 public:
  /// int32, int64, enum: a varint.
  ProtobufMessage& add(int field, std::int64_t value) {
    put_key(field, 0);
    put_varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  ProtobufMessage& add(int field, int value) { return add(field, std::int64_t{value}); }
  /// string, bytes.
  ProtobufMessage& add(int field, std::string_view text) {
    put_key(field, 2);
    put_varint(text.size());
    bytes_ += text;
    return *this;
  }
  ProtobufMessage& add(int field, const char* text) { return add(field, std::string_view(text)); }
  ProtobufMessage& add(int field, const std::string& text) {
    return add(field, std::string_view(text));
  }
  ProtobufMessage& add(int field, const ProtobufMessage& message) {
    return add(field, std::string_view(message.bytes_));
  }

  /// double.
  ProtobufMessage& add(int field, double value) {
    put_key(field, 1);
    put_little_endian(std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  /// float.
  ProtobufMessage& add(int field, float value) {
    put_key(field, 5);
    put_little_endian(std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  /// repeated double, packed.
  ProtobufMessage& add(int field, std::span<const double> values) {
    put_key(field, 2);
    put_varint(8 * values.size());
    for (const double value : values) {
      put_little_endian(std::bit_cast<std::uint64_t>(value), 8);
    }
    return *this;
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void put_little_endian(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      bytes_ += static_cast<char>(value >> (8 * i));
    }
  }
  void put_key(int field, int type) { put_varint(static_cast<std::uint64_t>(field * 8 + type)); }
  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      bytes_ += static_cast<char>(value | 0x80);
    }
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace dnn
