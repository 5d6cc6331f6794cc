#include "dnn/comm/numa_domain.hpp"

#include <fmt/format.h>
#include <hwloc.h>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

struct Destroy {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, Destroy>;

struct Free {
  void operator()(hwloc_bitmap_t set) const { hwloc_bitmap_free(set); }
};
using Bitmap = std::unique_ptr<std::remove_pointer_t<hwloc_bitmap_t>, Free>;

/// This machine's; null where the system does not tell.
Topology load_topology() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) {
    return nullptr;
  }
  Topology owned(topology);
  return hwloc_topology_load(topology) == 0 ? std::move(owned) : nullptr;
}

/// The domains whose cores this process may run on.
Bitmap own_domains(hwloc_topology_t topology) {
  const Bitmap cores(hwloc_bitmap_alloc());
  Bitmap domains(hwloc_bitmap_alloc());
  if (hwloc_get_cpubind(topology, cores.get(), HWLOC_CPUBIND_PROCESS) == 0) {
    hwloc_cpuset_to_nodeset(topology, cores.get(), domains.get());
  }
  return domains;
}

}  // namespace

int sharing_domain(const Communicator& node, SharingDomain wanted) {
  if (wanted == SharingDomain::node) {
    return 0;
  }
  const Topology topology = load_topology();
  int count = 0;
  int domain = 0;
  if (topology) {
    const Bitmap domains = own_domains(topology.get());
    count = hwloc_bitmap_weight(domains.get());
    domain = hwloc_bitmap_first(domains.get());
  }
  const bool all_bound = node.all_reduce<std::int64_t>(count == 1 ? 1 : 0, Reduction::min) == 1;
  if (all_bound) {
    return domain;
  }
  if (wanted == SharingDomain::numa && count != 1) {
    throw InputError(fmt::format(
        "--domain numa: a rank may run on cores of {} NUMA domains; bind each rank to cores of one "
        "(mpirun --bind-to core, srun --cpu-bind=cores), or use --domain node",
        count));
  }
  return 0;
}

void interleave(std::span<std::byte> memory) {
  const Topology topology = load_topology();
  if (topology) {
    (void)hwloc_set_area_membind(topology.get(), memory.data(), memory.size(),
                                 hwloc_topology_get_topology_nodeset(topology.get()),
                                 HWLOC_MEMBIND_INTERLEAVE, HWLOC_MEMBIND_BYNODESET);
  }
}

}  // namespace dnn
