#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dnn/model/container.hpp"

namespace dnn::fuzz {

/// The bytes of a container of this kind whose header and checksum are right, as no damage leaves
/// them: what gets past the checksum to the code behind it.
std::vector<std::byte> sealed_file(const Container::Kind& kind,
                                   std::span<const std::byte> description,
                                   std::span<const std::byte> parameters);

/// Puts the checksum that belongs to the rest into the bytes of a container; leaves a file alone
/// that is too short to have one.
void seal(std::span<std::byte> file);

}  // namespace dnn::fuzz
