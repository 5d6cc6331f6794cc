#include "dnn/train/replica_check.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "dnn/core/sha256.hpp"

namespace dnn {

namespace {

[[noreturn]] void report(const Communicator& world, const std::vector<std::uint64_t>& hashes) {
  std::map<std::uint64_t, std::size_t> counts;
  for (const std::uint64_t hash : hashes) {
    ++counts[hash];
  }
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool has_majority = 2 * most->second > hashes.size();
  const std::vector<std::string> hosts = world.gather(host_name(), 0);
  std::string names;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    if (!has_majority || hashes[rank] != most->first) {
      names += (names.empty() ? "" : ", ") + std::to_string(rank) + " (host " + hosts[rank] + ")";
    }
  }
  throw std::runtime_error(
      world.broadcast("the ranks' parameters differ: " +
                          (has_majority ? "those of rank " + names + " are not what most ranks have"
                                        : "no majority of ranks " + names + " has the same") +
                          "; a processor of another kind than the others', or a fault in memory. A "
                          "restart goes on from the last checkpoint, which was compared",
                      0));
}

}  // namespace

void check_replicas(const Communicator& world, std::span<const std::byte> values) {
  const auto digest = sha256(values);
  std::uint64_t own = 0;
  std::memcpy(&own, digest.data(), sizeof(own));
  std::vector<std::uint64_t> all(static_cast<std::size_t>(world.size()));
  world.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(all)));
  if (std::any_of(all.begin(), all.end(), [own](std::uint64_t hash) { return hash != own; })) {
    report(world, all);
  }
}

}  // namespace dnn
