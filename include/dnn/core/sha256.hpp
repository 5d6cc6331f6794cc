#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace dnn {

/// The SHA-256 digest (FIPS 180-4) of bytes given piece by piece.
class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> bytes);

  /// The digest of everything given so far; ends the object's use.
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of `bytes`.
[[nodiscard]] Sha256::Digest sha256(std::span<const std::byte> bytes);

/// A digest as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(const Sha256::Digest& digest);

}  // namespace dnn
