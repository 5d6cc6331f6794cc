#include "dnn/parallel/node_exchange.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "dnn/core/add.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

constexpr std::size_t slice_grain = 16;  ///< elements; slices begin on cache lines

template <class T>
std::span<T> allocate(Node& node, std::size_t count, const char* purpose) {
  const std::span<std::byte> bytes = node.allocate_shared(count * sizeof(T), purpose);
  return {reinterpret_cast<T*>(bytes.data()), count};
}

/// Collective over `world`: how many slices every node can make.
std::size_t slice_count(const Communicator& world, const Node& node) {
  return static_cast<std::size_t>(world.all_reduce<std::int64_t>(node.size(), Reduction::min));
}

Range slice_of(std::size_t size, std::size_t slices, int node_rank) {
  const auto rank = static_cast<std::size_t>(node_rank);
  if (rank >= slices) {
    return {size, size};
  }
  return part_in_grains(size, slice_grain, slices, rank);
}

}  // namespace

template <class T>
NodeExchange<T>::NodeExchange(const Communicator& world, Node& node, std::size_t size,
                              const Settings& settings)
    : GradientExchange<T>({settings.not_exchanged, size}),
      world_(world),
      node_(node),
      slices_(slice_count(world, node)),
      own_(slice_of(size, slices_, node.rank())),
      tree_(settings.logical_shards > 0
                ? std::optional<NodeTree<T>>(std::in_place, world, node, settings.logical_shards)
                : std::nullopt),
      has_other_nodes_(node.size() < world.size()),
      slice_(world.split(node.rank())) {
  const Range own = exchanged_slice(node.rank());
  const bool connects = tree_ && has_other_nodes_ && !own.empty();
  if (connects) {
    tree_->connect(slice_);
  }
  // From here on, first the ranks of a node and then each of them may lack memory.
  allocate_shared(size, settings.shared_cores);
  if (connects) {
    tree_->make_room(own.size());
  }
  if constexpr (std::is_same_v<T, float>) {
    if (settings.compress && slice_.size() > 1) {
      compressed_.emplace(slice_, own.size());
    }
  }
}

/// Collective over the node.
template <class T>
void NodeExchange<T>::allocate_shared(std::size_t size, bool shared_cores) {
  const auto ranks = static_cast<std::size_t>(node_.size());
  values_ = allocate<T>(node_, size, "the parameters (W, B)");
  all_gradients_ = allocate<T>(node_, size * ranks * (tree_ ? tree_->most_parts() : 1),
                               "the gradients of the ranks of a node");
  numbers_ = allocate<std::uint64_t>(node_, 2 * this->owner_numbers * ranks,
                                     "the sums over the ranks of a node");
  finite_ = allocate<std::int32_t>(node_, ranks + 1, "the marks of the ranks of a node");
  barrier_.emplace(node_, shared_cores, has_other_nodes_ ? &world_ : nullptr);
}

template <class T>
std::span<T> NodeExchange<T>::gradients_of(int node_rank, std::size_t index) {
  const std::size_t parts = tree_ ? tree_->most_parts() : 1;
  return all_gradients_.subspan(
      (static_cast<std::size_t>(node_rank) * parts + index) * values_.size(), values_.size());
}

template <class T>
void NodeExchange<T>::set_values(const std::function<void(std::span<T>)>& write) {
  if (node_.is_leader()) {
    write(values_);
  }
  node_.synchronize();
}

template <class T>
void NodeExchange<T>::ready(Range /*range*/) {}

template <class T>
bool NodeExchange<T>::combine(bool finite) {
  finite_[static_cast<std::size_t>(node_.rank())] = finite ? 1 : 0;
  barrier_->wait();
  // Read before the next barrier, and written again after it: no rank is still reading by then.
  bool all = all_finite_on_node();
  if (all && tree_) {
    sum_nodes_of_tree();
  } else if (all) {
    sum_node();
  }
  if (has_other_nodes_) {
    all = sum_between_nodes(all);
  }
  return all;
}

template <class T>
bool NodeExchange<T>::all_finite_on_node() const {
  const auto ranks = finite_.first(static_cast<std::size_t>(node_.size()));
  return std::all_of(ranks.begin(), ranks.end(), [](std::int32_t finite) { return finite != 0; });
}

template <class T>
Range NodeExchange<T>::exchanged_slice(int node_rank) const {
  return intersect(slice_of(this->exchanged().end, slices_, node_rank), this->exchanged());
}

/// The slices of all nodes meet. Each carries the mark of a node with bad numbers; a rank whose
/// slice has none to exchange gets it from the first one of its node whose slice has some.
template <class T>
bool NodeExchange<T>::sum_between_nodes(bool finite) {
  const Range mine = exchanged_slice(node_.rank());
  const std::span<T> slice = gradients().subspan(mine.begin, mine.size());
  if (tree_ && !slice.empty()) {
    tree_->sum_between_nodes(finite, slice);
  } else if (!slice.empty()) {
    if (!finite) {
      slice[0] = std::numeric_limits<T>::quiet_NaN();
    }
    sum_slice(slice);
  }
  bool all = slice.empty() || !std::isnan(slice[0]);
  int speaker = node_.size();
  bool has_idle = false;
  for (int rank = node_.size(); rank-- > 0;) {
    const bool is_idle = exchanged_slice(rank).empty();
    has_idle = has_idle || is_idle;
    speaker = is_idle ? speaker : rank;
  }
  if (has_idle) {
    std::int32_t& verdict = finite_[static_cast<std::size_t>(node_.size())];
    if (node_.rank() == speaker) {
      verdict = all ? 1 : 0;
    }
    barrier_->wait();
    all = verdict != 0;
  }
  return all;
}

template <class T>
void NodeExchange<T>::sum_slice(std::span<T> slice) {
  if constexpr (std::is_same_v<T, float>) {
    if (compressed_) {
      compressed_->run(slice);
      return;
    }
  }
  slice_.all_reduce(slice, Reduction::sum);
}

/// The own slice of this rank's gradients becomes the sum over the node's ranks, added up in the
/// order of ranks whoever adds: the bits do not depend on where the slices are cut.
template <class T>
void NodeExchange<T>::sum_node() {
  if (node_.size() == 1) {
    return;
  }
  const std::span<T> mine = gradients();
  const Range slice = exchanged_slice(node_.rank());
  parallel_for(slice.size(), parallel_grain, [&](Range part) {
    constexpr std::size_t block = 2048;
    alignas(64) std::array<T, block> sum;
    const std::size_t end = slice.begin + part.end;
    for (std::size_t first = slice.begin + part.begin; first < end; first += block) {
      const std::size_t count = std::min(block, end - first);
      std::copy_n(gradients_of(0, 0).data() + first, count, sum.data());
      for (int rank = 1; rank < node_.size(); ++rank) {
        add(gradients_of(rank, 0).data() + first, sum.data(), count);
      }
      std::copy_n(sum.data(), count, mine.data() + first);
    }
  });
}

template <class T>
void NodeExchange<T>::sum_nodes_of_tree() {
  const Range slice = exchanged_slice(node_.rank());
  tree_->sum_node(
      slice.begin, slice.size(),
      [this](int rank, std::size_t index) { return gradients_of(rank, index).data(); },
      gradients().data() + slice.begin);
}

template <class T>
void NodeExchange<T>::publish() {
  barrier_->wait();
}

/// Slices are alike on all nodes, so the node's are enough. A rank may be at the next call while
/// another still reads the numbers of this one, but not at the one after that.
template <class T>
void NodeExchange<T>::reduce_over_owners(std::span<std::uint64_t> numbers, Reduction reduction) {
  const auto ranks = static_cast<std::size_t>(node_.size());
  const std::span<std::uint64_t> all =
      numbers_.subspan((calls_++ % 2) * ranks * this->owner_numbers, ranks * this->owner_numbers);
  const auto of_rank = [&](std::size_t rank) {
    return all.subspan(rank * this->owner_numbers, numbers.size());
  };
  std::copy(numbers.begin(), numbers.end(),
            of_rank(static_cast<std::size_t>(node_.rank())).begin());
  barrier_->wait();
  std::fill(numbers.begin(), numbers.end(), 0);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    std::transform(numbers.begin(), numbers.end(), of_rank(rank).begin(), numbers.begin(),
                   [reduction](std::uint64_t a, std::uint64_t b) {
                     return reduction == Reduction::max ? std::max(a, b) : a + b;
                   });
  }
}

template <class T>
std::string NodeExchange<T>::save_residual() const {
  return compressed_ ? compressed_->save_residual() : std::string();
}

template <class T>
bool NodeExchange<T>::load_residual(const std::string& bytes) {
  return compressed_ ? compressed_->load_residual(bytes) : bytes.empty();
}

template class NodeExchange<float>;
template class NodeExchange<double>;

}  // namespace dnn
