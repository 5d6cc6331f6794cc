#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace dnn {

/// The lines of a file that a report shows.
///
/// Note [Reports of long runs]
/// A run rewrites its report while it trains. Its logs grow by lines for every epoch and update, so
/// what they would take as text and as JSON, several kilobytes an epoch, must not be held at a
/// time: only the lines that are shown are.
struct LineSample {
  struct Line {
    std::size_t number = 0;  ///< in the file, from 1
    std::string text;
  };
  std::size_t count = 0;  ///< of the file's lines
  std::vector<Line> lines;

  /// All lines of the file; of more than `most` every so many-th, the last one, and the one of the
  /// number `also`. Throws FileError.
  [[nodiscard]] static LineSample of(const std::string& path, std::size_t most,
                                     std::optional<std::size_t> also = {});
};

}  // namespace dnn
