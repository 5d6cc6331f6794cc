#include "dnn/store/held_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

namespace {

/// Memory of a data set's rows.
class RowMemory {
 public:
  RowMemory(const RowUnits& units, std::size_t count)
      : units_(units),
        values_(count * units.value_bytes()),
        columns_(count * units.column_bytes()) {}

  /// The bytes of some units.
  [[nodiscard]] std::span<std::byte> values(std::size_t first, std::size_t count) {
    return std::span(values_).subspan(first * units_.value_bytes(), count * units_.value_bytes());
  }
  [[nodiscard]] std::span<std::byte> columns(std::size_t first, std::size_t count) {
    return std::span(columns_).subspan(first * units_.column_bytes(),
                                       count * units_.column_bytes());
  }
  void give_to(Dataset& data) {
    data.values = Bytes::from(std::move(values_));
    data.value_columns = Bytes::from(std::move(columns_));
  }

 private:
  const RowUnits& units_;
  std::vector<std::byte> values_, columns_;
};

/// The bytes of some samples that `data` holds.
std::span<const std::byte> held_bytes(const Bytes& array, const RowUnits& units, std::size_t size,
                                      std::uint64_t held_from, Range samples) {
  const std::uint64_t first = units.before(samples.begin) - units.before(held_from);
  const std::uint64_t count = units.before(samples.end) - units.before(samples.begin);
  return array.view.subspan(first * size, count * size);
}

}  // namespace

RowUnits::RowUnits(const Dataset& data)
    : offsets_(data.row_offsets.as<std::uint64_t>()),
      value_bytes_(element_size(data.element) * (data.is_sparse() ? 1 : data.row_elements)),
      column_bytes_(data.is_sparse() ? sizeof(std::uint32_t) : 0) {}

HeldRows::HeldRows(const RankGrid& grid, Range held)
    : grid_(grid), leaders_(grid.world().split(grid.node().is_leader() ? 0 : 1)) {
  const auto ranks = static_cast<std::size_t>(grid.node().size());
  barrier_ = std::make_unique<NodeBarrier>(
      grid.node(), ranks > NodeCores::find(grid.node().ranks()).node, &grid.world());
  std::uint64_t own[] = {static_cast<std::uint64_t>(leaders_.rank()), held.begin, held.end};
  grid.node().ranks().broadcast(std::as_writable_bytes(std::span(own)), 0);
  node_ = own[0];
  const std::uint64_t mine[] = {own[0], own[1], own[2], grid.data_shard()};
  std::vector<std::uint64_t> all(std::size(mine) * static_cast<std::size_t>(grid.world().size()));
  grid.world().all_gather(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
  held_.resize(grid.nodes());
  shards_.resize(grid.nodes());
  for (std::size_t i = 0; i < all.size(); i += std::size(mine)) {
    held_[all[i]] = {all[i + 1], all[i + 2]};
    shards_[all[i]].push_back(all[i + 3]);
  }
  for (std::vector<std::size_t>& shards : shards_) {
    std::sort(shards.begin(), shards.end());
    shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
  }
}

SharedMapping HeldRows::allocate(std::size_t bytes, const char* purpose) const {
  try {
    return SharedMapping::make(grid_.node().ranks(), bytes);
  } catch (const AgreedError& error) {
    // The other nodes know nothing of it.
    throw std::runtime_error(fmt::format("host {}: no memory for {}, {}: {}", host_name(), purpose,
                                         size_text(bytes), error.what()));
  }
}

std::size_t HeldRows::owner(std::uint64_t sample) const {
  const auto found = std::partition_point(held_.begin(), held_.end(),
                                          [sample](Range held) { return held.end <= sample; });
  return static_cast<std::size_t>(found - held_.begin());
}

Dataset HeldRows::fetch(const Dataset& data, const std::vector<Range>& wanted) const {
  const RowUnits units(data);
  const Range own = of(node_);
  const Range mine = wanted[node_];
  RowMemory memory(units, units.before(mine.end) - units.before(mine.begin));
  std::vector<Request> requests;
  for (std::size_t n = 0; n < nodes(); ++n) {
    const Range from = intersect(mine, of(n));
    const std::uint64_t place = units.before(from.begin) - units.before(mine.begin);
    const std::uint64_t count = units.before(from.end) - units.before(from.begin);
    const auto node = static_cast<int>(n);
    if (n != node_ && !from.empty()) {
      leaders_.begin_receive(memory.values(place, count), node, requests);
      leaders_.begin_receive(memory.columns(place, count), node, requests);
    }
    const Range to = n == node_ ? from : intersect(wanted[n], own);
    if (to.empty()) {
      continue;
    }
    const auto values = held_bytes(data.values, units, units.value_bytes(), own.begin, to);
    const auto columns = held_bytes(data.value_columns, units, units.column_bytes(), own.begin, to);
    if (n == node_) {
      std::copy(values.begin(), values.end(), memory.values(place, count).begin());
      std::copy(columns.begin(), columns.end(), memory.columns(place, count).begin());
    } else {
      leaders_.begin_send(values, node, requests);
      leaders_.begin_send(columns, node, requests);
    }
  }
  wait_for(requests);
  Dataset fetched = data;
  fetched.held = mine;
  memory.give_to(fetched);
  return fetched;
}

Dataset HeldRows::copy(const Dataset& data, std::span<const std::uint64_t> samples) const {
  const RowUnits units(data);
  const Range own = of(node_);
  std::vector<std::uint64_t> offsets = {0};
  for (const std::uint64_t sample : samples) {
    offsets.push_back(offsets.back() + units.of(sample));
  }
  // Every byte comes from one leader and meets zeros from the others.
  constexpr std::size_t word = sizeof(std::uint64_t);
  const auto words_of = [&offsets](std::size_t size) {
    return std::vector<std::uint64_t>((offsets.back() * size + word - 1) / word, 0);
  };
  std::vector<std::uint64_t> values = words_of(units.value_bytes());
  std::vector<std::uint64_t> columns = words_of(units.column_bytes());
  for (std::size_t i = 0; i < samples.size() && grid_.node().is_leader(); ++i) {
    if (samples[i] < own.begin || samples[i] >= own.end) {
      continue;
    }
    const auto put = [&](const Bytes& array, std::size_t size, std::vector<std::uint64_t>& to) {
      const auto from = held_bytes(array, units, size, own.begin, {samples[i], samples[i] + 1});
      const auto bytes = std::as_writable_bytes(std::span(to));
      std::copy(from.begin(), from.end(),
                bytes.begin() + static_cast<std::ptrdiff_t>(offsets[i] * size));
    };
    put(data.values, units.value_bytes(), values);
    put(data.value_columns, units.column_bytes(), columns);
  }
  grid_.world().all_reduce(std::span(values), Reduction::bit_or);
  grid_.world().all_reduce(std::span(columns), Reduction::bit_or);
  Dataset rows;
  rows.origin = data.origin;
  rows.samples = samples.size();
  rows.features = data.features;
  rows.element = data.element;
  rows.row_elements = data.row_elements;
  rows.omitted_column = data.omitted_column;
  rows.values = Bytes::from(std::move(values)).part(0, offsets.back() * units.value_bytes());
  rows.value_columns =
      Bytes::from(std::move(columns)).part(0, offsets.back() * units.column_bytes());
  if (data.is_sparse()) {
    rows.row_offsets = Bytes::from(std::move(offsets));
  }
  return rows;
}

}  // namespace dnn
