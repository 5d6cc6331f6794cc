#include "dnn/library/global_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// Collective over `world`: `take()` takes about `bytes` of memory, the same number on all ranks.
/// Throws AgreedError where a rank lacks it. So little that there always is takes no message.
template <class Take>
void take_memory(const Communicator& world, std::size_t bytes, Take&& take) {
  constexpr std::size_t always_there = std::size_t{1} << 20;
  if (bytes < always_there) {
    std::forward<Take>(take)();
  } else {
    agree(world, std::forward<Take>(take));
  }
}

}  // namespace

std::vector<std::vector<std::uint64_t>> all_gather_lists(const Communicator& world,
                                                         std::span<const std::uint64_t> numbers,
                                                         std::size_t most_at_once) {
  const auto ranks = static_cast<std::size_t>(world.size());
  if (ranks == 1) {
    return {{numbers.begin(), numbers.end()}};
  }
  const std::uint64_t own = numbers.size();
  std::vector<std::uint64_t> counts(ranks);
  world.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(counts)));
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  const std::size_t total = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  constexpr std::size_t small = 4096;
  const bool padding_is_most = most * ranks > std::max(2 * total, small * ranks);
  const bool in_turn = padding_is_most || most > most_at_once;
  const std::size_t padded_size = in_turn ? 0 : most;
  std::vector<std::vector<std::uint64_t>> lists(ranks);
  std::vector<std::uint64_t> padded;
  std::vector<std::uint64_t> all;
  take_memory(world, (total + padded_size * (ranks + 1)) * sizeof(std::uint64_t), [&] {
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      lists[rank].resize(counts[rank]);
    }
    padded.resize(padded_size);
    all.resize(padded_size * ranks);
  });
  if (in_turn) {
    std::ranges::copy(numbers, lists[static_cast<std::size_t>(world.rank())].begin());
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      world.broadcast(std::as_writable_bytes(std::span(lists[rank])), static_cast<int>(rank));
    }
    return lists;
  }
  std::ranges::copy(numbers, padded.begin());
  world.all_gather(std::as_bytes(std::span(padded)), std::as_writable_bytes(std::span(all)));
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(rank * most), counts[rank],
                lists[rank].begin());
  }
  return lists;
}

GlobalOrder::GlobalOrder(const Communicator& world, std::span<const std::uint64_t> ids) {
  const auto lists = all_gather_lists(world, ids);
  std::size_t total = 0;
  for (const auto& list : lists) {
    total += list.size();
  }
  take_memory(world, total * sizeof(Place), [&] { places_.reserve(total); });
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
  const Range mine = share(me);
  std::vector<std::byte> out;
  dealt.order.clear();
  take_memory(world, size() * records.form.bytes(), [&] {
    out.resize(records.bytes.size());
    dealt.order.reserve(mine.size());
  });
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
  std::vector<std::size_t> next(ranks, 0);
  for (std::size_t p = mine.begin; p < mine.end; ++p) {
    ++next[places_[p].rank];
  }
  std::exclusive_scan(next.begin(), next.end(), next.begin(), std::size_t{0});
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
