#include "dnn/parallel/make_exchange.hpp"

#include "dnn/core/error.hpp"
#include "dnn/parallel/allreduce_exchange.hpp"
#include "dnn/parallel/node_exchange.hpp"
#include "dnn/parallel/overlap_exchange.hpp"
#include "dnn/parallel/tree_exchange.hpp"

namespace dnn {

namespace {

/// A smaller gradient is gone in one piece before there would be anything to hide.
constexpr std::size_t worth_overlapping = std::size_t{1} << 20;

/// See Note [Real progress]: overlapping needs a core of its own to progress on.
ExchangeChoice best_exchange(const Communicator& world, std::int64_t most_on_a_node,
                             std::size_t bytes, bool spare_core) {
  if (world.size() == 1) {
    return {ExchangeKind::tree, "one rank has nothing to exchange"};
  }
  if (most_on_a_node > 1) {
    return {ExchangeKind::node, "up to " + std::to_string(most_on_a_node) + " ranks share memory"};
  }
  if (bytes < worth_overlapping) {
    return {ExchangeKind::tree,
            "no ranks share memory, and gradients are too small to send in pieces"};
  }
  if (!spare_core) {
    return {ExchangeKind::tree,
            "no ranks share memory, and there is no core to spare for sending early"};
  }
  return {ExchangeKind::overlap,
          "no ranks share memory, there is a core to spare, and gradients are large enough to send "
          "early"};
}

}  // namespace

ExchangeChoice choose_exchange(const ExchangeSettings& settings, const Communicator& world,
                               const Node& node, std::size_t bytes) {
  const auto most = world.all_reduce<std::int64_t>(node.size(), Reduction::max);
  if (settings.compress) {
    if (settings.kind != ExchangeKind::automatic && settings.kind != ExchangeKind::node) {
      throw InputError(
          "--compress bf16 is part of the exchange 'node'; use --exchange node or auto");
    }
    return {ExchangeKind::node, "it is the one that compresses between nodes"};
  }
  if (settings.kind != ExchangeKind::automatic) {
    return {settings.kind, "asked for"};
  }
  return best_exchange(world, most, bytes, settings.spare_core);
}

template <class T>
std::unique_ptr<GradientExchange<T>> make_exchange(const ExchangeChoice& choice,
                                                   const ExchangeSettings& settings,
                                                   const Communicator& world, Node& node,
                                                   std::size_t size) {
  switch (choice.kind) {
    case ExchangeKind::node:
      return std::make_unique<NodeExchange<T>>(
          world, node, size,
          typename NodeExchange<T>::Settings{settings.shared_cores, settings.compress,
                                             settings.logical_shards, settings.not_exchanged});
    case ExchangeKind::overlap:
      return std::make_unique<OverlapExchange<T>>(world, size, settings.logical_shards,
                                                  settings.bucket_bytes, settings.not_exchanged);
    case ExchangeKind::allreduce:
      return std::make_unique<AllreduceExchange<T>>(world, size, settings.logical_shards,
                                                    settings.not_exchanged);
    default:
      return std::make_unique<TreeExchange<T>>(world, size, settings.logical_shards,
                                               settings.not_exchanged);
  }
}

template std::unique_ptr<GradientExchange<float>> make_exchange(const ExchangeChoice&,
                                                                const ExchangeSettings&,
                                                                const Communicator&, Node&,
                                                                std::size_t);
template std::unique_ptr<GradientExchange<double>> make_exchange(const ExchangeChoice&,
                                                                 const ExchangeSettings&,
                                                                 const Communicator&, Node&,
                                                                 std::size_t);

}  // namespace dnn
