#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dnn/model/environment.hpp"
#include "dnn/model/precision.hpp"

namespace dnn {

/// The parameters that a saved model or a checkpoint holds, with what they are of; of a checkpoint
/// that has their average, the average.
struct SavedParameters {
  std::vector<std::uint64_t> widths;     ///< M_0, ..., M_N
  Precision precision = Precision::f32;  ///< f32 or f64
  Environment environment;               ///< that they were computed in, as far as it is recorded
  std::vector<std::byte> packed;         ///< W^1, B^1, ..., W^N, B^N without padding

  /// Throws FileError or InputError.
  [[nodiscard]] static SavedParameters load(const std::string& path);

  [[nodiscard]] std::size_t count() const;
  /// Parameter `i` as a number.
  [[nodiscard]] double at(std::size_t i) const;
  /// "64-12-10 (float)".
  [[nodiscard]] std::string network() const;
};

}  // namespace dnn
