#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/model/environment.hpp"
#include "dnn/options/config.hpp"
#include "dnn/parallel/split_rule.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/model_plan.hpp"

namespace dnn {

/// The plan of a run, made before anything is computed: where its ranks are, how they exchange, and
/// how much memory and disk it needs. --dry-run prints it.
struct RunPlan : ModelPlan {
  int ranks = 1;
  int nodes = 1;
  std::size_t domains = 0;            ///< of all nodes that share memory; 0: every node is one
  int threads = 1;                    ///< of each rank of this node
  bool shared_cores = false;          ///< a node has more ranks and threads than cores
  std::size_t model_ranks = 1;        ///< that hold one network together
  std::size_t crossing_groups = 0;    ///< groups of them that cross nodes
  std::size_t checkpoint_bytes = 0;   ///< of the tensors of one checkpoint
  bool parallel_checkpoints = false;  ///< all ranks write them
  std::size_t rank_bytes = 0;         ///< memory of one rank, the data's copy of its node aside
  std::size_t root_bytes = 0;         ///< memory that rank 0 takes beyond that to save
  std::size_t node_bytes = 0;         ///< the data's copy in memory, once a node
  std::size_t mapped_bytes = 0;       ///< data in mapped files, cached as far as there is memory
  /// Memory that this rank had before the data were read: the program and MPI; whoever makes the
  /// plan of a run sets it.
  std::size_t base_bytes = 0;
  std::size_t loading_bytes = 0;  ///< the most memory that this rank has had until now
  std::size_t disk_bytes = 0;     ///< what the run folder needs
  Environment environment;

  [[nodiscard]] std::size_t data_shards() const {
    return static_cast<std::size_t>(ranks) / model_ranks;
  }

  /// The most memory that this rank will use at a time, to compare with peak_memory: as there,
  /// memory that ranks share counts in each of them.
  [[nodiscard]] std::size_t peak_bytes(bool is_root) const;

  /// Collective over the grid's world. Throws InputError (on all ranks alike) for a network that
  /// cannot fit into this machine's memory, for ranks of a node that together need more than it has
  /// left, or for a setting that cannot be honoured here.
  [[nodiscard]] static RunPlan make(const Config& config, RankGrid& grid, const TrainingData& data);
};

/// Collective over `node`, the ranks of a node: how many threads this one computes with, as the
/// option threads or OMP_NUM_THREADS says, or what makes the ranks fit the node's cores.
[[nodiscard]] int threads_of_rank(const Config& config, const Communicator& node);

/// Throws InputError where the ranks of this host together need more bytes of memory than they may
/// still use. Since this is an estimate, ranks that lack less than a fifth are tried.
void require_node_memory(std::size_t needed, std::size_t available, int ranks);

/// Copies of its parameters that a rank holds: values, gradients and the optimizer's state, with
/// the averaged parameters.
[[nodiscard]] std::size_t parameter_copies(const OptimizationSettings& settings);

/// The arithmetic of products: the word of --precision, and for float and double "in order", and
/// whether multiply-adds are not fused (see Note [Sums in order]).
[[nodiscard]] std::string name_of_products(ProductKind products, const Config& config);

/// How a network of so many classes that ranks hold together is split. The blocks of classes are
/// the same at any number of ranks: as many as are worth while, at most 8.
[[nodiscard]] SplitRule split_rule(const Config& config, std::size_t classes);

/// The widths M_0, ..., M_N of the network that `config` and `data` make.
[[nodiscard]] std::vector<std::size_t> network_widths(const Config& config, const Dataset& data);

}  // namespace dnn
