#include "dnn/plots/ranked_samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <tuple>

namespace dnn {

namespace {

bool is_listed_before(const RankedSample& a, const RankedSample& b) {
  return a.before(b);
}

}  // namespace

bool RankedSample::before(const RankedSample& other) const {
  return std::tuple(other.rank, sample, output) < std::tuple(rank, other.sample, other.output);
}

void RankedSamples::add(const RankedSample& sample) {
  if (std::isnan(sample.rank)) {
    return;
  }
  if (heap_.size() == most_) {
    if (most_ == 0 || !sample.before(heap_.front())) {
      return;
    }
    std::pop_heap(heap_.begin(), heap_.end(), is_listed_before);
    heap_.pop_back();
  }
  heap_.push_back(sample);
  std::push_heap(heap_.begin(), heap_.end(), is_listed_before);
}

std::vector<RankedSample> RankedSamples::gather(const Communicator& world) const {
  const std::string own(reinterpret_cast<const char*>(heap_.data()),
                        heap_.size() * sizeof(RankedSample));
  RankedSamples all(most_);
  for (const std::string& part : world.gather(own, 0)) {
    for (std::size_t at = 0; at < part.size(); at += sizeof(RankedSample)) {
      RankedSample sample;
      std::memcpy(&sample, part.data() + at, sizeof(sample));
      all.add(sample);
    }
  }
  std::sort(all.heap_.begin(), all.heap_.end(), is_listed_before);
  return all.heap_;
}

}  // namespace dnn
