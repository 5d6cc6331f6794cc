#include "dnn/library/global_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/copy_bytes.hpp"

namespace dnn {

std::vector<std::vector<std::uint64_t>> all_gather_lists(const Communicator& world,
                                                         std::span<const std::uint64_t> numbers) {
  const auto ranks = static_cast<std::size_t>(world.size());
  if (ranks == 1) {
    return {{numbers.begin(), numbers.end()}};
  }
  const std::uint64_t own = numbers.size();
  std::vector<std::uint64_t> counts(ranks);
  world.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(counts)));
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  std::vector<std::uint64_t> padded(numbers.begin(), numbers.end());
  padded.resize(most);
  std::vector<std::uint64_t> all(most * ranks);
  world.all_gather(std::as_bytes(std::span(padded)), std::as_writable_bytes(std::span(all)));
  std::vector<std::vector<std::uint64_t>> lists;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(rank * most);
    lists.emplace_back(first, first + static_cast<std::ptrdiff_t>(counts[rank]));
  }
  return lists;
}

GlobalOrder::GlobalOrder(const Communicator& world, std::span<const std::uint64_t> ids) {
  const auto lists = all_gather_lists(world, ids);
  for (std::size_t rank = 0; rank < lists.size(); ++rank) {
    for (std::size_t i = 0; i < lists[rank].size(); ++i) {
      places_.push_back(
          {lists[rank][i], static_cast<std::uint32_t>(rank), static_cast<std::uint32_t>(i)});
    }
  }
  const auto by_id = [](const Place& a, const Place& b) { return a.id < b.id; };
  if (!std::is_sorted(places_.begin(), places_.end(), by_id)) {
    std::sort(places_.begin(), places_.end(), by_id);
  }
  const auto twice = std::adjacent_find(
      places_.begin(), places_.end(), [](const Place& a, const Place& b) { return a.id == b.id; });
  if (twice != places_.end()) {
    throw AgreedError(fmt::format(
        "ids: two samples have the id {}, one of rank {} and one of rank {}; each sample needs a "
        "number of its own among all ranks",
        twice->id, std::min(twice->rank, (twice + 1)->rank),
        std::max(twice->rank, (twice + 1)->rank)));
  }
}

Records GlobalOrder::deal(const Communicator& world, const Records& records,
                          const std::function<Range(std::size_t rank)>& share) const {
  const auto ranks = static_cast<std::size_t>(world.size());
  const auto me = static_cast<std::uint32_t>(world.rank());
  std::vector<Records> parts(ranks, Records{records.form, {}, {}});
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const Range wanted = share(rank);
    for (std::size_t p = wanted.begin; p < wanted.end; ++p) {
      if (places_[p].rank == me) {
        parts[rank].add(places_[p].id, records.record(places_[p].index));
      }
    }
  }
  const Range mine = share(me);
  if (ranks == 1) {
    return std::move(parts.front());
  }
  const Records received = exchange_records(world, records.form, parts);
  // They come rank by rank, those of each rank in the order of positions.
  std::vector<std::size_t> next(ranks, 0);
  for (std::size_t p = mine.begin; p < mine.end; ++p) {
    ++next[places_[p].rank];
  }
  std::exclusive_scan(next.begin(), next.end(), next.begin(), std::size_t{0});
  Records dealt{records.form, {}, {}};
  dealt.ids.reserve(mine.size());
  dealt.bytes.reserve(mine.size() * records.form.bytes());
  for (std::size_t p = mine.begin; p < mine.end; ++p) {
    const std::size_t i = next[places_[p].rank]++;
    dealt.add(received.ids[i], received.record(i));
  }
  return dealt;
}

Records exchange_records(const Communicator& world, const RecordForm& form,
                         const std::vector<Records>& parts) {
  const auto ranks = static_cast<std::size_t>(world.size());
  const std::size_t record = sizeof(std::uint64_t) + form.bytes();
  std::vector<std::uint64_t> sends(ranks);
  std::vector<std::byte> out;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    sends[rank] = parts[rank].size();
    for (std::size_t i = 0; i < parts[rank].size(); ++i) {
      const auto id = std::as_bytes(std::span(&parts[rank].ids[i], 1));
      out.insert(out.end(), id.begin(), id.end());
      const auto bytes = parts[rank].record(i);
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
  }
  std::vector<std::uint64_t> gets(ranks);
  world.all_to_all(std::as_bytes(std::span(sends)), std::as_writable_bytes(std::span(gets)));
  const auto in_bytes = [record](const std::vector<std::uint64_t>& counts) {
    std::vector<std::size_t> sizes;
    for (const std::uint64_t count : counts) {
      sizes.push_back(count * record);
    }
    return sizes;
  };
  const std::size_t count = std::accumulate(gets.begin(), gets.end(), std::size_t{0});
  std::vector<std::byte> in(count * record);
  world.all_to_all<std::byte>(std::span<const std::byte>(out), in_bytes(sends), std::span(in),
                              in_bytes(gets));
  Records received{form, std::vector<std::uint64_t>(count), {}};
  received.bytes.resize(count * form.bytes());
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* from = in.data() + i * record;
    copy_bytes(&received.ids[i], from, sizeof(std::uint64_t));
    copy_bytes(received.bytes.data() + i * form.bytes(), from + sizeof(std::uint64_t),
               form.bytes());
  }
  return received;
}

}  // namespace dnn
