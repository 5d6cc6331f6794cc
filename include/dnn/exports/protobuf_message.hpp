#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dnn {

/// A message in Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), field by
/// field as they are added. A writer of four field types needs no generated code and no library.
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

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
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
