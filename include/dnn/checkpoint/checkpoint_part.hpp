#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/checkpoint/element_runs.hpp"

namespace dnn {

/// A file that holds the same elements of every tensor of a checkpoint.
///
/// Note [Checkpoints in parts]
/// A large state is written by all ranks at once. Each has a file of its own: ranges of one file
/// that several hosts write would be at the mercy of what a network file system caches. Rank 0
/// writes the checkpoint's own file, which names the parts with their lengths and checksums, when
/// all of them are on the disk: before that, no part is ever read. The names of the parts hold the
/// moment at which they were begun, so that no part takes the place of another checkpoint's.
///
/// A rank writes what it updates, so a part is some elements of the whole tensors: one range of
/// them, or, where ranks hold a network together, also some columns of some W. The checkpoint's own
/// file says which, so that it says nothing of ranks and any number of them can read it.
///
/// The own file is a container whose parameters are a text: "tensors N", and a line for each part:
/// in version 3 "part FILE BYTES CHECKSUM ELEMENTS" (see ElementRuns::write), in version 2, in
/// which the parts follow each other, "part FILE FIRST LAST BYTES CHECKSUM" for elements [FIRST,
/// LAST). A part's parameters are these elements of W and B, then of each optimizer buffer, then of
/// the best W and B.
struct CheckpointPart {
  std::string file;         ///< its name, in the checkpoint's folder
  ElementRuns elements;     ///< of each tensor, counted without padding
  std::uint64_t bytes = 0;  ///< of the file
  std::string checksum;     ///< of the container, see write_container
};

/// The parts of a checkpoint.
struct PartList {
  static constexpr std::uint32_t first_version =
      2;  ///< of a checkpoint's container that names parts
  static constexpr std::uint32_t newest_version = 3;

  std::uint64_t tensors = 0;  ///< how many there are in each part
  std::vector<CheckpointPart> parts;

  /// As text of the newest version.
  [[nodiscard]] std::string to_text() const;

  /// Reads a text of the given version. Throws InputError, which begins with `origin`, where it is
  /// none, or the parts do not hold as many elements as a tensor has.
  [[nodiscard]] static PartList parse(const std::string& text, std::uint32_t version,
                                      std::size_t elements, const std::string& origin);

  /// Throws InputError unless the parts hold each of a tensor's elements once.
  void check_cover(std::size_t elements, const std::string& origin) const;
};

/// Writes one part, with its bytes in that order, then reads it back as save_checkpoint does.
/// Throws FileError or InputError, and leaves no file then.
[[nodiscard]] CheckpointPart save_part(const std::string& folder, const std::string& file,
                                       const ElementRuns& elements,
                                       std::span<const std::byte> bytes);

}  // namespace dnn
