#include "dnn/library/ground.hpp"

#include "dnn/comm/numa_domain.hpp"

namespace dnn {

Ground::Ground(const Communicator& world, const Config& config) : node_(world) {
  const int domain = agree(world, [&] { return sharing_domain(node_.ranks(), config.domain); });
  grid_.emplace(world, node_, 1, domain);
}

void Ground::close() {
  grid_->close();
  grid_.reset();
  node_.close();
}

}  // namespace dnn
