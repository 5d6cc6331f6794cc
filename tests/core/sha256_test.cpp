#include "dnn/core/sha256.hpp"

#include <gtest/gtest.h>

namespace dnn {
namespace {

std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// The examples of FIPS 180-4's test vectors.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesGiveTheDigestOfTheWhole) {
  Sha256 hash;
  hash.update(bytes("a"));
  hash.update({});
  hash.update(bytes("bc"));
  EXPECT_EQ(hash.finish(), sha256(bytes("abc")));
}

}  // namespace
}  // namespace dnn
