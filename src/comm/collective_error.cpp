#include "dnn/comm/collective_error.hpp"

#include <cstdint>

namespace dnn {

void throw_if_any_failed(const Communicator& ranks, bool failed, const std::string& message) {
  const std::int64_t own = failed ? ranks.rank() : ranks.size();
  const std::int64_t first = ranks.all_reduce(own, Reduction::min);
  if (first == ranks.size()) {
    return;
  }
  std::string text = message;
  if (failed && ranks.rank() != 0) {
    text = "on rank " + std::to_string(ranks.rank()) + " (host " + host_name() + "): " + text;
  }
  throw AgreedError(ranks.broadcast(std::move(text), static_cast<int>(first)));
}

}  // namespace dnn
