#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dnn/checkpoint/element_runs.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/train/checkpoint_state.hpp"

namespace dnn {

/// Between the whole tensors of models and checkpoints (W and B of all layers without padding, or
/// what belongs to each of their elements) and what each rank of a grid holds of them.
class TensorParts {
 public:
  using Bytes = std::vector<std::byte>;

  /// Collective over the grid's world; the grid must outlive this. `part`: the layout of this
  /// rank's part of the network; `own`: what of it this rank updates; `element_bytes`: of an
  /// element.
  TensorParts(const RankGrid& grid, const ParameterLayout& part, Range own,
              std::size_t element_bytes);

  /// What this rank keeps of its part: the ranks that have the same part share it.
  [[nodiscard]] const SavedElements& saved() const { return saved_; }

  /// The bytes of these elements of a tensor, of which this rank holds `held`, from element `first`
  /// of the flat buffer on.
  template <class T>
  [[nodiscard]] Bytes take(std::span<const T> held, std::size_t first) const;

  /// The part of the whole tensors that this rank writes where all ranks write (see Note
  /// [Checkpoints in parts]): what it keeps, but for what other model shards have, too: they share
  /// that. All ranks together write every element once.
  [[nodiscard]] const ElementRuns& written() const { return written_; }
  /// Appends the bytes of these elements. `held`: as in take().
  template <class T>
  void append_written(std::span<const T> held, std::size_t first, Bytes& bytes) const;
  /// The same for a tensor of which this rank has what take() gave.
  void append_written(const Bytes& taken, Bytes& bytes) const;

  /// Collective over the world: on rank 0, the whole tensor of which each rank gives what take()
  /// gave; elsewhere nothing.
  [[nodiscard]] Bytes gather(std::span<const std::byte> taken) const;

  /// Collective over the world: this rank's part, without padding, of the whole tensor that rank 0
  /// gives. No rank but rank 0 holds more than one part at a time.
  [[nodiscard]] Bytes distribute(Bytes whole) const;

 private:
  void find_written();

  const RankGrid& grid_;
  std::vector<ParameterLayout> parts_;  ///< of every model shard
  std::size_t element_bytes_;
  std::size_t whole_count_;
  SavedElements saved_;
  std::vector<Range> written_flat_;  ///< in the flat buffers, in order
  ElementRuns written_;
};

}  // namespace dnn
