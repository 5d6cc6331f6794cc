#include "dnn/comm/rank_grid.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

void check_divides(std::size_t ranks, std::size_t model_ranks) {
  if (model_ranks != 0 && ranks % model_ranks == 0) {
    return;
  }
  std::string divisors;
  for (std::size_t m = 1; m <= ranks; ++m) {
    if (ranks % m == 0) {
      divisors += (divisors.empty() ? "" : ", ") + std::to_string(m);
    }
  }
  throw InputError(
      fmt::format("--model-parallel {}: {} ranks are no whole number of groups of {}; use one of "
                  "{}, or another number of ranks",
                  model_ranks, ranks, model_ranks, divisors));
}

/// Collective: the first rank of each rank's node.
std::vector<int> node_leaders(const Communicator& world, const Node& node) {
  int leader = world.rank();
  node.ranks().broadcast(std::as_writable_bytes(std::span(&leader, 1)), 0);
  std::vector<int> leaders(static_cast<std::size_t>(world.size()));
  world.all_gather(std::as_bytes(std::span(&leader, 1)),
                   std::as_writable_bytes(std::span(leaders)));
  return leaders;
}

/// The ranks in the order in which every M consecutive ones are a model group, see Note [Model
/// groups and nodes].
std::vector<int> group_order(const std::vector<int>& leaders, std::size_t model_ranks) {
  std::map<int, std::vector<int>> nodes;
  for (std::size_t rank = 0; rank < leaders.size(); ++rank) {
    nodes[leaders[rank]].push_back(static_cast<int>(rank));
  }
  std::vector<int> whole;
  std::vector<int> left_over;
  for (const auto& [leader, ranks] : nodes) {
    const auto cut =
        ranks.begin() + static_cast<std::ptrdiff_t>(ranks.size() / model_ranks * model_ranks);
    whole.insert(whole.end(), ranks.begin(), cut);
    left_over.insert(left_over.end(), cut, ranks.end());
  }
  std::vector<int>& first = !left_over.empty() && left_over.front() == 0 ? left_over : whole;
  const std::vector<int>& second = &first == &whole ? left_over : whole;
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Collective over `world`: how many of the ranks are roots of what they belong to.
std::size_t count_roots(const Communicator& world, bool is_root) {
  return static_cast<std::size_t>(world.all_reduce<std::int64_t>(is_root ? 1 : 0, Reduction::sum));
}

}  // namespace

RankGrid::RankGrid(const Communicator& world, Node& node, std::size_t model_ranks, int domain)
    : world_(world), node_(node), model_ranks_(model_ranks), domain_(domain) {
  check_divides(static_cast<std::size_t>(world.size()), model_ranks);
  const std::vector<int> leaders = node_leaders(world, node);
  const std::set<int> nodes(leaders.begin(), leaders.end());
  nodes_ = nodes.size();
  node_number_ = static_cast<std::size_t>(
      std::distance(nodes.begin(), nodes.find(leaders[static_cast<std::size_t>(world.rank())])));
  domains_ = count_roots(world, node.ranks().split(domain).is_root());
  if (model_ranks == 1) {
    if (has_split_nodes()) {
      data_domain_.emplace(world, domain);
    }
    return;
  }
  const std::vector<int> order = group_order(leaders, model_ranks);
  std::size_t place = 0;
  while (order[place] != world.rank()) {
    ++place;
  }
  const auto group = static_cast<int>(place / model_ranks);
  const auto shard = static_cast<int>(place % model_ranks);
  model_.emplace(world.split(group, shard));
  data_.emplace(world.split(shard, group));
  data_domain_.emplace(*data_, domain);
  look_at_domains();
}

std::size_t RankGrid::data_shards() const {
  return static_cast<std::size_t>(data_group().size());
}

std::size_t RankGrid::data_shard() const {
  return static_cast<std::size_t>(data_group().rank());
}

/// Collective: sums over a data group depend on which of its ranks share a domain.
void RankGrid::look_at_domains() {
  std::int64_t first = data_->rank();  // of the data group's ranks in this domain
  data_domain_->ranks().broadcast(std::as_writable_bytes(std::span(&first, 1)), 0);
  const bool alike = model_->all_reduce(first, Reduction::min) == first;
  even_ = world_.all_reduce<std::int64_t>(alike ? 1 : 0, Reduction::min) == 1;
  const Node group_node(*model_);
  const bool crosses = group_node.size() < model_->size();
  crossing_ = count_roots(world_, crosses && model_->is_root());
}

void RankGrid::close() {
  if (data_domain_) {
    data_domain_->close();
  }
}

}  // namespace dnn
