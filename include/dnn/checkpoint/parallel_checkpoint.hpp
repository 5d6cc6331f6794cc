#pragma once

#include <cstddef>
#include <future>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/comm/communicator.hpp"

namespace dnn {

/// A checkpoint that all ranks write, each its part in a thread of its own while training
/// continues: see Note [Checkpoints in parts]. The threads communicate nothing; when is_written()
/// holds on all ranks, which they find out together, collect() makes the parts one checkpoint.
class ParallelCheckpoint {
 public:
  /// Collective over `world`, which must outlive it. `checkpoint`: rank 0's, without its tensors.
  /// `elements` and `bytes`: this rank's part, as save_part takes it; may be none.
  ParallelCheckpoint(const Communicator& world, CheckpointFolder folder, Checkpoint checkpoint,
                     ElementRuns elements, std::vector<std::byte> bytes);

  /// Whether this rank's part is on the disk, or has failed to get there.
  [[nodiscard]] bool is_written() const;

  struct Outcome {
    Checkpoint checkpoint;  ///< names its parts, and is still to be saved
    std::string error;      ///< why there is none; empty if there is
    double seconds = 0;     ///< that the slowest part took
  };
  /// Collective, once: waits for all parts. Returns, on rank 0, what came of them; where one has
  /// failed, all are removed again.
  [[nodiscard]] Outcome collect();

 private:
  struct Written {
    CheckpointPart part;
    std::string error;
    double seconds = 0;
  };
  [[nodiscard]] static std::string to_text(const Written& written);
  [[nodiscard]] static Written from_text(const std::string& text);

  const Communicator& world_;
  CheckpointFolder folder_;
  Checkpoint checkpoint_;
  std::future<Written> mine_;
};

/// Collective: why the ranks do not share a folder that rank 0 writes into; empty, on all ranks,
/// where they do.
[[nodiscard]] std::string why_not_shared(const Communicator& world, const std::string& path);

}  // namespace dnn
