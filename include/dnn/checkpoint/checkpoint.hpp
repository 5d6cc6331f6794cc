#pragma once

// The contents of a checkpoint file, and its writing and reading.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint_part.hpp"
#include "dnn/core/exact_sum.hpp"
#include "dnn/model/epoch_metrics.hpp"
#include "dnn/model/precision.hpp"

namespace dnn {

/// The state of a run between two updates: everything that a resume needs. Belongs to the
/// run, not to its ranks: sums are over all ranks, tensors are whole and without padding.
struct Checkpoint {
  std::string program;
  std::string configuration;  ///< JSON, see to_json(Config)
  std::string data_sha256;    ///< see data_fingerprint
  std::string environment;    ///< see Environment::to_text; empty: unknown
  std::vector<std::uint64_t> widths;
  Precision precision = Precision::f32;  ///< f32 or f64: the type of the numbers below

  // Where the run is. Order of samples and dropout follow from it and the seed.
  std::uint64_t updates = 0;          ///< of the whole run: the schedule's position
  std::uint64_t steps_per_epoch = 0;  ///< updates of an epoch
  std::uint64_t epoch = 1;            ///< the one under way, from 1
  std::uint64_t step = 0;             ///< how many of its updates are done
  ExactSum loss_sum;                  ///< over the samples of those updates
  ExactSum correct;                   ///< as in LossSums, of those samples
  ExactSum weight;                    ///< so too
  bool knows_weight = true;           ///< not where an earlier program counted samples alone
  std::uint64_t left_out = 0;         ///< samples of updates of this epoch that did not count
  std::uint64_t skipped = 0;          ///< updates of the whole run that did not count
  double learning_rate = 0;           ///< of the last update
  double epoch_seconds = 0;           ///< that this epoch's training has taken

  // What the epochs before gave.
  std::vector<EpochMetrics> epochs;
  std::uint64_t best_epoch = 0;

  std::uint64_t optimizer_steps = 0;
  /// By rank, what belongs to ranks after all, see GradientExchange::save_residual.
  std::vector<std::string> residuals;

  // Bytes of W^1, B^1, ..., W^N, B^N without padding, as in a saved model, or of what belongs to
  // each of their elements.
  std::vector<std::byte> parameters;
  std::vector<std::vector<std::byte>> optimizer_state;
  /// The last of these is the average of the parameters, which a model saved now would have.
  bool has_average = false;
  std::vector<std::byte> best_parameters;  ///< empty where the best model is not kept

  /// Where the tensors lie instead; none: here, and in the checkpoint's own file.
  PartList parts;
};

/// Everything but the tensors, as text.
[[nodiscard]] std::string describe_checkpoint(const Checkpoint& checkpoint);

/// The inverse: a checkpoint whose tensors are empty, `optimizer_state` as many as there are.
/// `origin` names it in errors. Throws InputError for a text that is none or contradicts itself.
[[nodiscard]] Checkpoint parse_checkpoint(const std::string& text, const std::string& origin);

/// The files of the parts that a checkpoint names; none where it holds its tensors itself. Throws
/// as load_checkpoint does.
[[nodiscard]] std::vector<std::string> part_files(const std::string& path);

/// Writes a checkpoint atomically (one of parts after these), then reads it back and compares;
/// removes it again if it is not what was written. Returns its bytes, with those of its parts.
/// Throws FileError or InputError.
std::size_t save_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// Reads a checkpoint, from its parts where it has such, and checks that all of it fits together.
/// Throws FileError or InputError.
[[nodiscard]] Checkpoint load_checkpoint(const std::string& path);

}  // namespace dnn
