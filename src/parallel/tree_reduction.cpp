#include "dnn/parallel/tree_reduction.hpp"

#include <algorithm>
#include <utility>

namespace dnn {

namespace {

constexpr std::size_t line = 16;  ///< elements; slices begin on cache lines
constexpr std::size_t most_at_once = std::size_t{1} << 30;  ///< elements that a rank receives

}  // namespace

template <class T>
TreeReduction<T>::TreeReduction(const Communicator& ranks, std::size_t leaves,
                                const std::vector<Range>& nodes)
    : ranks_(ranks), giving_(ranks.split(0)), leaves_(leaves) {
  const auto all = static_cast<std::size_t>(ranks.size());
  std::vector<std::uint8_t> mine(leaves, 0);
  for (const Range node : nodes) {
    std::fill(mine.begin() + static_cast<std::ptrdiff_t>(node.begin),
              mine.begin() + static_cast<std::ptrdiff_t>(node.end), std::uint8_t{1});
  }
  std::vector<std::uint8_t> whose(leaves * all);
  ranks.all_gather(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(whose)));
  for (std::size_t rank = 0; rank < all; ++rank) {
    const auto first = whose.begin() + static_cast<std::ptrdiff_t>(rank * leaves);
    const std::vector<bool> marked(first, first + static_cast<std::ptrdiff_t>(leaves));
    nodes_of_.push_back(tree_nodes(marked));
    rounds_ = std::max(rounds_, nodes_of_.back().size());
  }
}

template <class T>
auto TreeReduction<T>::begin(std::vector<const T*> parts, std::size_t count, T* to)
    -> std::unique_ptr<Pending> {
  auto pending = std::make_unique<Pending>();
  Pending& p = *pending;
  p.owner_ = this;
  p.parts_ = std::move(parts);
  p.to_ = to;
  const auto all = static_cast<std::size_t>(ranks_.size());
  const auto me = static_cast<std::size_t>(ranks_.rank());
  for (std::size_t rank = 0; rank < all; ++rank) {
    const Range lines = part_of((count + line - 1) / line, all, rank);
    p.slices_.push_back({std::min(lines.begin * line, count), std::min(lines.end * line, count)});
  }
  std::size_t others = 0;
  for (std::size_t rank = 0; rank < all; ++rank) {
    others += rank == me ? 0 : nodes_of_[rank].size();
  }
  const std::size_t needed = others * p.slices_[me].size();
  const auto fits = std::find_if(free_.begin(), free_.end(),
                                 [needed](const auto& b) { return b.size() >= needed; });
  if (fits != free_.end()) {
    p.received_ = std::move(*fits);
    free_.erase(fits);
  } else {
    p.received_ = AlignedBuffer<T>(needed);
  }
  p.number_ = begun_++;
  p.exchanges_.resize(rounds_ + 1);  // never moved: MPI knows where they are
  for (std::size_t round = 0; round < rounds_; ++round) {
    p.receive_parts(round);
  }
  return pending;
}

/// Every rank's node number `round` goes to the owners of its slices, where it has so many.
template <class T>
void TreeReduction<T>::Pending::receive_parts(std::size_t round) {
  const std::size_t all = slices_.size();
  const auto me = static_cast<std::size_t>(owner_->ranks_.rank());
  const bool has_one = round < parts_.size();
  Exchange& exchange = exchanges_[round];
  for (std::vector<int>* numbers : {&exchange.send_counts, &exchange.send_offsets,
                                    &exchange.receive_counts, &exchange.receive_offsets}) {
    numbers->assign(all, 0);
  }
  if (has_one) {
    found_.push_back({owner_->nodes()[round], parts_[round] + slices_[me].begin});
  }
  for (std::size_t rank = 0; rank < all; ++rank) {
    if (rank == me) {
      continue;
    }
    exchange.send_counts[rank] = has_one ? static_cast<int>(slices_[rank].size()) : 0;
    exchange.send_offsets[rank] = static_cast<int>(slices_[rank].begin);
    if (round < owner_->nodes_of_[rank].size()) {
      exchange.receive_counts[rank] = static_cast<int>(slices_[me].size());
      exchange.receive_offsets[rank] = static_cast<int>(used_);
      found_.push_back({owner_->nodes_of_[rank][round], received_.data() + used_});
      used_ += slices_[me].size();
    }
  }
  exchange.request = owner_->ranks_.template begin_all_to_all<T>(
      has_one ? parts_[round] : nullptr, exchange.send_counts, exchange.send_offsets,
      received_.data(), exchange.receive_counts, exchange.receive_offsets);
}

template <class T>
void TreeReduction<T>::Pending::add_up() {
  const Range mine = slices_[static_cast<std::size_t>(owner_->ranks_.rank())];
  std::sort(found_.begin(), found_.end(), [](const TreePart<T>& a, const TreePart<T>& b) {
    return a.leaves.begin < b.leaves.begin;
  });
  sum_along_tree<T>({0, owner_->leaves_}, found_, mine.size(), to_ + mine.begin);
  stage_ = Stage::added_up;
}

template <class T>
void TreeReduction<T>::Pending::give_to_all() {
  ++owner_->given_;
  Exchange& exchange = exchanges_.back();
  for (const Range slice : slices_) {
    exchange.receive_counts.push_back(static_cast<int>(slice.size()));
    exchange.receive_offsets.push_back(static_cast<int>(slice.begin));
  }
  exchange.request = owner_->giving_.template begin_all_gather<T>(to_, exchange.receive_counts,
                                                                  exchange.receive_offsets);
  stage_ = Stage::giving;
}

template <class T>
void TreeReduction<T>::Pending::end() {
  owner_->free_.push_back(std::move(received_));
  stage_ = Stage::done;
}

template <class T>
bool TreeReduction<T>::Pending::test() {
  if (stage_ == Stage::receiving &&
      std::all_of(exchanges_.begin(), exchanges_.end(),
                  [](Exchange& exchange) { return exchange.request.test(); })) {
    add_up();
  }
  if (stage_ == Stage::added_up && owner_->given_ == number_) {
    give_to_all();
  }
  if (stage_ == Stage::giving && exchanges_.back().request.test()) {
    end();
  }
  return stage_ == Stage::done;
}

template <class T>
void TreeReduction<T>::Pending::wait() {
  {
    const HeartbeatRecorder::Waiting waiting(owner_->ranks_.heartbeat(), Operation::all_to_all);
    for (Exchange& exchange : exchanges_) {
      exchange.request.wait();
    }
  }
  add_up();
  give_to_all();
  const HeartbeatRecorder::Waiting waiting(owner_->ranks_.heartbeat(), Operation::all_gather);
  exchanges_.back().request.wait();
  end();
}

template <class T>
void TreeReduction<T>::run(const std::vector<const T*>& parts, std::size_t count, T* to) {
  std::size_t nodes = 0;
  for (const auto& nodes_of_rank : nodes_of_) {
    nodes += nodes_of_rank.size();
  }
  const std::size_t piece = most_at_once / (nodes / nodes_of_.size() + 1);
  for (std::size_t first = 0; first < count; first += piece) {
    std::vector<const T*> from = parts;
    for (const T*& part : from) {
      part += first;
    }
    begin(std::move(from), std::min(piece, count - first), to + first)->wait();
  }
}

template class TreeReduction<float>;
template class TreeReduction<double>;

}  // namespace dnn
