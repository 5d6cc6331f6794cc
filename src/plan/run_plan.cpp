#include "dnn/plan/run_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string_view>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/core/thread_limit.hpp"
#include "dnn/data/number.hpp"
#include "dnn/data/sparse_batch.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/parallel/split_rule.hpp"
#include "dnn/plan/gather_environment.hpp"
#include "dnn/products/bf16.hpp"
#include "dnn/products/tile_kernel.hpp"

namespace dnn {

namespace {

/// The number of threads that OMP_NUM_THREADS says, the first of a list; 0 where it says none, as
/// in `export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK` without the other variable.
std::size_t threads_in(const char* variable) {
  const std::string_view list = variable == nullptr ? std::string_view() : variable;
  const std::optional<std::int64_t> number = parse_integer(list.substr(0, list.find(',')));
  return number && *number > 0 ? static_cast<std::size_t>(*number) : 0;
}

/// How many threads a rank computes with: as the option or OMP_NUM_THREADS says, or what
/// makes the ranks of the node fit its cores.
int thread_count(const Config& config, const NodeCores& cores, int ranks_on_node) {
  if (config.threads > 0) {
    return static_cast<int>(config.threads);
  }
  if (const std::size_t wanted = threads_in(std::getenv("OMP_NUM_THREADS")); wanted > 0) {
    return static_cast<int>(std::min<std::size_t>(wanted, 1024));
  }
  const std::size_t share = cores.node / static_cast<std::size_t>(ranks_on_node);
  return static_cast<int>(std::clamp<std::size_t>(share, 1, cores.own));
}

/// Collective over `world`: what the products are computed in. Throws InputError, on all ranks
/// alike, for bf16 where a processor has no unit for it.
ProductKind product_kind(const Config& config, const Communicator& world) {
  if (config.precision != Precision::bf16) {
    return ProductKind::full;
  }
  const auto lacking = world.all_reduce<std::int64_t>(has_bf16_unit() ? 0 : 1, Reduction::sum);
  if (lacking == 0) {
    return ProductKind::bf16;
  }
  if (config.bf16_fallback) {
    return ProductKind::full;
  }
  throw InputError(
      fmt::format("--precision bf16: the processors of {} of {} ranks have no bf16 unit (amx_bf16, "
                  "avx512_bf16); use --precision float, or add --bf16-fallback",
                  lacking, world.size()));
}

/// Collective over the grid's world: how each data group exchanges gradients. What all parts of the
/// network have alike must stay alike, so all groups must add up in the same order.
ExchangeChoice choose_in_grid(ExchangeSettings settings, RankGrid& grid, std::size_t bytes) {
  const bool wants_node = settings.compress || settings.kind == ExchangeKind::node;
  if (!grid.is_even() && wants_node) {
    throw InputError(fmt::format(
        "--exchange node (and --compress) with --model-parallel {} needs every node to have a "
        "multiple of so many ranks, and equally many; leave the option out, or start the ranks so",
        grid.model_ranks()));
  }
  if (!grid.is_even() && settings.kind == ExchangeKind::automatic) {
    return {ExchangeKind::tree, "model groups lie unevenly on the nodes"};
  }
  // Gradients wait for the model group anyway: see Note [MPI calls of a model group].
  settings.spare_core = settings.spare_core && !grid.is_split();
  return choose_exchange(settings, grid.data_group(), grid.data_domain(), bytes);
}

/// Throws InputError unless the parameters could be addressed and held by this job, on this host.
void check_size(const Config& config, const Dataset& data) {
  const std::size_t memory = available_memory();
  const std::vector<std::size_t> widths = network_widths(config, data);
  const SplitRule rule = split_rule(config, widths.back());
  const auto splits = rule.splits(widths, config.model_parallel);
  const std::size_t most_blocks =
      (rule.class_blocks + config.model_parallel - 1) / config.model_parallel;
  const double share = rule.class_blocks > 0 ? static_cast<double>(most_blocks) /
                                                   static_cast<double>(rule.class_blocks)
                                             : 1 / static_cast<double>(config.model_parallel);
  double parameters = 0;  // of a rank
  for (std::size_t n = 1; n < widths.size(); ++n) {
    const double whole = (static_cast<double>(widths[n - 1]) + 1) * static_cast<double>(widths[n]);
    parameters += splits[n - 1] == LayerSplit::whole ? whole : whole * share;
  }
  const double bytes = parameters * static_cast<double>(element_bytes(config.precision)) *
                       static_cast<double>(parameter_copies(config));
  if (bytes > static_cast<double>(memory)) {
    throw InputError(fmt::format(
        "--hidden: {:.3g} parameters need {} a rank, but this job may use {} more on this host; "
        "make "
        "the hidden layers smaller, or split the model (--model-parallel)",
        parameters, size_text(static_cast<std::size_t>(std::min(bytes, 1e18))), size_text(memory)));
  }
}

/// What a rank keeps of its batches and of its share of the evaluations.
std::size_t batch_bytes(const TrainingData& data, const ParameterLayout& part,
                        std::size_t element) {
  const std::size_t rows = data.sampler.max_share() + 256;
  if (!data.sparse_rows) {
    return 2 * element * data.train.features * rows;
  }
  // The columns of the whole batch, and dA^1 of it, from which dW^1 is made.
  const std::size_t stored =
      sparse_batch_bytes(stored_inputs(data.train), data.batch_size + rows, element);
  return 2 * stored + element * data.batch_size * part.layers().front().outputs;
}

/// Memory of the parameters, of their gradients and of the optimizer's state.
struct ParameterBytes {
  std::size_t touched = 0;  ///< by a rank
  std::size_t own = 0;      ///< by this rank alone, and for certain
};

/// Where `part` bytes of parameters are a rank's own, `sparse` of them those of sparse inputs.
ParameterBytes parameter_bytes(const RunPlan& plan, const OptimizationSettings& settings,
                               std::size_t part, std::size_t sparse, RankGrid& grid) {
  // The gradients of each node of the tree.
  const std::size_t logical_shards = plan.exchange_settings.logical_shards;
  const std::size_t nodes =
      logical_shards > 0
          ? tree_nodes(logical_shards, part_of(logical_shards, grid.data_shards(), 0)).size()
          : 1;
  const std::size_t state = parameter_copies(settings) - 2;
  if (plan.exchange.kind != ExchangeKind::node) {
    const std::size_t all = part * (1 + nodes + state);
    return {all, all};
  }
  // The values are shared. A rank updates its slice alone, and reads the slice's gradients of all
  // ranks of its node. Of sparse inputs, those that no sample has get no gradients.
  const auto ranks = static_cast<std::size_t>(grid.data_domain().size());
  return {part * (1 + nodes) + part * (state + (ranks - 1) * nodes) / ranks,
          part * (1 + state) / ranks + (part - sparse) * nodes};
}

/// Collective over the grid's world. `own`: bytes that this rank needs for itself, whatever the run
/// saves. Ranks in groups of their own have limits of their own, which check_size looks at.
void check_node_memory(std::size_t own, const RankGrid& grid) {
  const Communicator& ranks = grid.node().ranks();
  const auto all = ranks.all_reduce<std::uint64_t>(own, Reduction::sum);
  const std::uint64_t groups = std::hash<std::string>()(memory_groups());
  const auto least = ranks.all_reduce<std::uint64_t>(groups, Reduction::min);
  const auto largest = ranks.all_reduce<std::uint64_t>(groups, Reduction::max);
  const bool have_one_limit = least == largest;
  agree(grid.world(), [&] {
    require_node_memory(all, have_one_limit ? available_to_groups() : available_to_host(),
                        ranks.size());
  });
}

}  // namespace

int threads_of_rank(const Config& config, const Communicator& node) {
  return thread_count(config, NodeCores::find(node), node.size());
}

std::size_t parameter_copies(const OptimizationSettings& settings) {
  const std::size_t average = settings.average_weights > 0 ? 1 : 0;
  switch (settings.optimizer) {
    case OptimizerKind::sgd:
      return 2 + average;
    case OptimizerKind::momentum:
    case OptimizerKind::nesterov:
      return 3 + average;
    default:
      return 4 + average;
  }
}

std::string name_of_products(ProductKind products, const Config& config) {
  std::string name = word_for(products == ProductKind::bf16        ? Precision::bf16
                              : config.precision == Precision::f64 ? Precision::f64
                                                                   : Precision::f32);
  if (products == ProductKind::bf16) {
    return name;
  }
  const bool fused = config.precision == Precision::f64 ? tile_kernels<double>().front().fused
                                                        : tile_kernels<float>().front().fused;
  return Environment::name_of_ordered(name) + (fused ? "" : ", not fused");
}

SplitRule split_rule(const Config& config, std::size_t classes) {
  constexpr std::size_t most_blocks = 8;
  const std::size_t blocks =
      std::clamp<std::size_t>(classes / config.least_block_classes, 1, most_blocks);
  return {config.least_split_nodes, has_fixed_order(config) && !config.split_hidden ? blocks : 0};
}

std::vector<std::size_t> network_widths(const Config& config, const Dataset& data) {
  std::vector<std::size_t> widths = {data.features};
  widths.insert(widths.end(), config.hidden.begin(), config.hidden.end());
  widths.push_back(data.classes());
  return widths;
}

std::size_t RunPlan::peak_bytes(bool is_root) const {
  // Pages of the program and its libraries, and stacks, that are touched once training begins.
  constexpr std::size_t program = std::size_t{8} << 20;
  return std::max(loading_bytes, base_bytes + program + node_bytes + mapped_bytes + rank_bytes +
                                     (is_root ? root_bytes : 0));
}

void require_node_memory(std::size_t needed, std::size_t available, int ranks) {
  // An estimate: what lacks less than a fifth is tried.
  if (0.8 * static_cast<double>(needed) > static_cast<double>(available)) {
    throw InputError(fmt::format(
        "host {}: its {} about {} for the network and its batches, and this job may use {} more "
        "there; start fewer ranks a node, give smaller layers (--hidden) or batches "
        "(--batch-size), or split the model (--model-parallel)",
        host_name(), ranks == 1 ? "rank needs" : fmt::format("{} ranks need", ranks),
        size_text(needed), size_text(available)));
  }
}

RunPlan RunPlan::make(const Config& config, RankGrid& grid, const TrainingData& data) {
  const Communicator& world = grid.world();
  if (config.average_weights > 0 && data.sparse_rows) {
    throw InputError(fmt::format(
        "--average-weights {}: the samples of {} stay sparse, and an update moves the weights of "
        "its batch's features alone, so no average is kept; leave --average-weights out",
        config.average_weights, config.data));
  }
  agree(world, [&] { check_size(config, data.train); });  // hosts differ
  const Node& node = grid.node();
  const std::vector<std::size_t> widths = network_widths(config, data.train);
  const SplitRule rule = split_rule(config, widths.back());
  RunPlan plan{ModelPlan{
      .layout = ParameterLayout(widths),
      .part = ParameterLayout(widths, rule.splits(widths, grid.model_ranks()), grid.model_ranks(),
                              grid.model_shard(), rule.class_blocks)}};
  plan.ranks = world.size();
  plan.model_ranks = grid.model_ranks();
  plan.crossing_groups = grid.crossing_groups();
  plan.nodes = static_cast<int>(grid.nodes());
  plan.domains = grid.has_split_nodes() ? grid.domains() : 0;
  const NodeCores cores = NodeCores::find(node.ranks());
  plan.threads = thread_count(config, cores, node.size());
  agree(world, [&] { require_threads(plan.threads); });
  const auto wanted =
      static_cast<std::size_t>(node.size()) * static_cast<std::size_t>(plan.threads);
  plan.shared_cores =
      world.all_reduce<std::int64_t>(wanted > cores.node ? 1 : 0, Reduction::max) != 0;
  const bool spare_core =
      world.all_reduce<std::int64_t>(wanted < cores.node && mpi_allows_threads() ? 1 : 0,
                                     Reduction::min) != 0;
  plan.products = product_kind(config, world);
  plan.environment = gather_environment(world, name_of_products(plan.products, config));
  const std::size_t element = element_bytes(config.precision);
  plan.exchange_settings = {config.exchange,
                            static_cast<std::size_t>(config.bucket_mib * (1 << 20)),
                            config.compress == Compression::bf16,
                            plan.shared_cores,
                            spare_core,
                            data.logical_shards,
                            data.sparse_rows ? plan.part.layers().front().bias.begin : 0};
  plan.exchange = choose_in_grid(plan.exchange_settings, grid, plan.part.size() * element);
  const std::size_t rows = std::max<std::size_t>(data.sampler.max_share(), 256);
  std::size_t widest_hidden = 0;
  std::size_t nodes = 0;
  for (const LayerLayout& layer : plan.part.layers()) {
    nodes += layer.outputs;
    widest_hidden = std::max(widest_hidden, layer.inputs);
  }
  if (rule.class_blocks > 1 || grid.is_split()) {
    nodes += plan.part.held_blocks().size() * plan.part.layers().back().inputs;  // dX of each block
  }
  const LayerLayout& first = plan.part.layers().front();
  const ParameterBytes parameters =
      parameter_bytes(plan, config, element * plan.part.size(),
                      data.sparse_rows ? element * first.inputs * first.outputs : 0, grid);
  const std::size_t batches =
      element * rows * (nodes + 2 * widest_hidden) + batch_bytes(data, plan.part, element);
  plan.rank_bytes = parameters.touched + batches;
  const std::size_t tensor = element * plan.layout.parameter_count();
  const auto ranks = static_cast<std::size_t>(world.size());
  // Values, the optimizer's state and the best model's values: as many as in memory, where the
  // gradients take the place of the last.
  plan.checkpoint_bytes = tensor * parameter_copies(config);
  plan.parallel_checkpoints =
      ranks > 1 && plan.checkpoint_bytes >=
                       std::max(config.parallel_checkpoint_bytes, ranks * config.least_part_bytes);
  // The best model is kept by all ranks together; what is written is a copy.
  plan.rank_bytes += element * plan.part.parameter_count() / grid.data_shards();
  // Later all ranks take over the best model: a copy of what a rank holds of it.
  const std::size_t best = element * plan.part.parameter_count();
  if (plan.parallel_checkpoints) {
    plan.rank_bytes += std::max(plan.checkpoint_bytes / ranks, best);
    plan.root_bytes = grid.is_split() ? tensor : 0;
  } else {
    plan.rank_bytes += best;
    plan.root_bytes = plan.checkpoint_bytes - std::min(plan.checkpoint_bytes, best);
  }
  plan.node_bytes = data.memory_bytes() + data.window_bytes();
  plan.mapped_bytes = data.mapped_bytes();
  plan.loading_bytes = peak_memory();
  // Two models of which a third is being written, and some room for the texts.
  plan.disk_bytes = 3 * element * plan.layout.parameter_count() + (std::size_t{1} << 20);
  plan.disk_bytes += (config.keep + 1) * plan.checkpoint_bytes;  // one is being written
  // The node's leader counts what the node's ranks share.
  check_node_memory(parameters.own + batches + (node.is_leader() ? data.window_bytes() : 0), grid);
  return plan;
}

}  // namespace dnn
