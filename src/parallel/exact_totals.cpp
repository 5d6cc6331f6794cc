#include "dnn/parallel/exact_totals.hpp"

#include <algorithm>
#include <cstdint>

namespace dnn {

std::vector<double> exact_totals(const Communicator& world, std::vector<ExactSum> sums) {
  std::vector<std::int64_t> all;
  all.reserve(sums.size() * ExactSum::words);
  for (ExactSum& sum : sums) {
    sum.combine([&all](auto words) { all.insert(all.end(), words.begin(), words.end()); });
  }
  world.all_reduce(std::span(all), Reduction::sum);
  const std::int64_t* next = all.data();
  std::vector<double> values;
  for (ExactSum& sum : sums) {
    sum.combine([&next](auto words) {
      std::copy_n(next, words.size(), words.begin());
      next += words.size();
    });
    values.push_back(sum.value());
  }
  return values;
}

}  // namespace dnn
