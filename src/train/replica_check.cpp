#include "dnn/train/replica_check.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace dnn {

namespace {

/// A replica's hash, and of what it is one.
struct Mark {
  std::uint64_t of = 0;
  std::uint64_t hash = 0;
  bool operator<(const Mark& other) const {
    return of != other.of ? of < other.of : hash < other.hash;
  }
};

/// `marks`: of all ranks, equally many each.
[[noreturn]] void report(const Communicator& world, const std::vector<Mark>& marks,
                         const std::string& subject) {
  std::map<Mark, std::size_t> counts;
  std::map<std::uint64_t, std::size_t> totals;
  for (const Mark& mark : marks) {
    ++counts[mark];
    ++totals[mark.of];
  }
  const auto differs = [&](const Mark& mark) { return counts[mark] < totals[mark.of]; };
  const auto in_majority = [&](const Mark& mark) { return 2 * counts[mark] > totals[mark.of]; };
  const bool has_majority = std::any_of(
      marks.begin(), marks.end(), [&](const Mark& m) { return differs(m) && in_majority(m); });
  const std::vector<std::string> ranks =
      world.gather(std::to_string(world.job_rank()) + " (host " + host_name() + ")", 0);
  const std::size_t each = marks.size() / static_cast<std::size_t>(world.size());
  std::string names;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const auto first = marks.begin() + static_cast<std::ptrdiff_t>(rank * each);
    if (std::any_of(first, first + static_cast<std::ptrdiff_t>(each), [&](const Mark& mark) {
          return differs(mark) && !(has_majority && in_majority(mark));
        })) {
      names += (names.empty() ? "" : ", ") + ranks[rank];
    }
  }
  throw std::runtime_error(
      world.broadcast(subject + " differ: " +
                          (has_majority ? "those of rank " + names + " are not those of most ranks"
                                        : "no majority of ranks " + names + " has the same") +
                          ". Possible causes: a processor of another kind, or a memory fault. "
                          "Repeat the command to resume from the last checkpoint, whose parameters "
                          "were the same on all ranks",
                      0));
}

}  // namespace

std::vector<Sha256::Digest> check_replicas(const Communicator& world,
                                           const std::vector<Replica>& own,
                                           const std::string& subject) {
  std::vector<Mark> mine;
  std::vector<Sha256::Digest> digests;
  for (const Replica& replica : own) {
    Sha256 hash;
    for (const auto bytes : replica.bytes) {
      hash.update(bytes);
    }
    digests.push_back(hash.finish());
    Mark mark{replica.of, 0};
    std::memcpy(&mark.hash, digests.back().data(), sizeof(mark.hash));
    mine.push_back(mark);
  }
  std::vector<Mark> all(mine.size() * static_cast<std::size_t>(world.size()));
  world.all_gather(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
  std::map<std::uint64_t, std::uint64_t> first;
  if (std::any_of(all.begin(), all.end(), [&first](const Mark& mark) {
        return first.emplace(mark.of, mark.hash).first->second != mark.hash;
      })) {
    report(world, all, subject);
  }
  return digests;
}

template <class T>
std::vector<Replica> replicas_of(const RankGrid& grid, const ParameterLayout& layout,
                                 std::span<const T> values) {
  std::vector<Replica> replicas = {{1 + grid.model_shard(), {}}};
  for (const LayerLayout& layer : layout.layers()) {
    for (const Range range : {layer.weights, layer.bias}) {
      replicas.back().bytes.push_back(std::as_bytes(values.subspan(range.begin, range.size())));
    }
  }
  if (grid.is_split()) {
    replicas.push_back({0, {}});
    for (const Range range : layout.common_ranges()) {
      replicas.back().bytes.push_back(std::as_bytes(values.subspan(range.begin, range.size())));
    }
  }
  return replicas;
}

template std::vector<Replica> replicas_of(const RankGrid&, const ParameterLayout&,
                                          std::span<const float>);
template std::vector<Replica> replicas_of(const RankGrid&, const ParameterLayout&,
                                          std::span<const double>);

}  // namespace dnn
