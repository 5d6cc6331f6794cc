#include "dnn/library/global_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"

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
  const std::size_t total = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  std::vector<std::vector<std::uint64_t>> lists;
  constexpr std::size_t small = 4096;
  if (most * ranks > std::max(2 * total, small * ranks)) {  // most of it would be padding
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      lists.emplace_back(counts[rank]);
      if (rank == static_cast<std::size_t>(world.rank())) {
        lists.back().assign(numbers.begin(), numbers.end());
      }
      world.broadcast(std::as_writable_bytes(std::span(lists.back())), static_cast<int>(rank));
    }
    return lists;
  }
  std::vector<std::uint64_t> padded(numbers.begin(), numbers.end());
  padded.resize(most);
  std::vector<std::uint64_t> all(most * ranks);
  world.all_gather(std::as_bytes(std::span(padded)), std::as_writable_bytes(std::span(all)));
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

void GlobalOrder::deal(const Communicator& world, const Records& records,
                       const std::function<Range(std::size_t rank)>& share, Dealt& dealt) const {
  const auto ranks = static_cast<std::size_t>(world.size());
  const auto me = static_cast<std::uint32_t>(world.rank());
  std::vector<std::uint64_t> sends(ranks);
  std::vector<std::byte> out(records.bytes.size());
  std::size_t done = 0;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const Range wanted = share(rank);
    for (std::size_t p = wanted.begin; p < wanted.end; ++p) {
      if (places_[p].rank == me) {
        const auto record = records.record(places_[p].index);
        copy_bytes(out.data() + done, record.data(), record.size());
        done += record.size();
        ++sends[rank];
      }
    }
  }
  out.resize(done);
  dealt.records.form = records.form;
  exchange_records(world, out, sends, dealt.records);
  // They come rank by rank, those of each rank in the order of positions.
  const Range mine = share(me);
  std::vector<std::size_t> next(ranks, 0);
  for (std::size_t p = mine.begin; p < mine.end; ++p) {
    ++next[places_[p].rank];
  }
  std::exclusive_scan(next.begin(), next.end(), next.begin(), std::size_t{0});
  dealt.order.clear();
  for (std::size_t p = mine.begin; p < mine.end; ++p) {
    dealt.order.push_back(next[places_[p].rank]++);
  }
}

void exchange_records(const Communicator& world, const std::vector<std::byte>& out,
                      const std::vector<std::uint64_t>& sends, Records& in) {
  std::vector<std::uint64_t> gets(sends.size());
  world.all_to_all(std::as_bytes(std::span(sends)), std::as_writable_bytes(std::span(gets)));
  const auto in_bytes = [&in](const std::vector<std::uint64_t>& counts) {
    std::vector<std::size_t> sizes;
    for (const std::uint64_t count : counts) {
      sizes.push_back(count * in.form.bytes());
    }
    return sizes;
  };
  const std::size_t count = std::accumulate(gets.begin(), gets.end(), std::size_t{0});
  agree(world, [&] {
    constexpr std::size_t most = std::size_t{1} << 31;  // MPI's counts are ints
    if (std::max(out.size(), count * in.form.bytes()) >= most) {
      throw InputError(
          "the samples of an update that a rank gives or computes with take 2 GiB or more; give "
          "fewer at a time");
    }
    in.bytes.resize(count * in.form.bytes());
  });
  world.all_to_all<std::byte>(std::span<const std::byte>(out), in_bytes(sends), std::span(in.bytes),
                              in_bytes(gets));
}

}  // namespace dnn
