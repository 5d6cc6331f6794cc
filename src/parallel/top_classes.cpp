#include "dnn/parallel/top_classes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace dnn {

namespace {

struct Candidate {
  double logit = -std::numeric_limits<double>::infinity();
  std::int64_t class_index = -1;

  /// Whether it goes before another; no class goes after all classes.
  [[nodiscard]] bool before(const Candidate& other) const {
    if ((class_index < 0) != (other.class_index < 0)) {
      return other.class_index < 0;
    }
    return logit > other.logit || (logit == other.logit && class_index < other.class_index);
  }
};

/// `best` (ascending by before) becomes the best of itself and `candidate`.
void insert(std::span<Candidate> best, const Candidate& candidate) {
  if (best.empty() || !candidate.before(best.back())) {
    return;
  }
  std::size_t place = best.size() - 1;
  for (; place > 0 && candidate.before(best[place - 1]); --place) {
    best[place] = best[place - 1];
  }
  best[place] = candidate;
}

}  // namespace

template <class T>
void top_classes(const Communicator* group, Range slice, MatrixView<const T> A, std::size_t count,
                 std::span<std::int32_t> top) {
  std::vector<Candidate> mine(A.rows * count);
  for (std::size_t s = 0; s < A.rows; ++s) {
    const auto best = std::span(mine).subspan(s * count, count);
    const std::span<const T> a = A.row(s);
    for (std::size_t j = 0; j < a.size(); ++j) {
      const double logit = std::isnan(a[j]) ? Candidate().logit : static_cast<double>(a[j]);
      insert(best, {logit, static_cast<std::int64_t>(slice.begin + j)});
    }
  }
  const std::size_t ranks = group != nullptr ? static_cast<std::size_t>(group->size()) : 1;
  std::vector<Candidate> all(mine.size() * ranks);
  if (group != nullptr) {
    group->all_gather(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
  } else {
    all = mine;
  }
  for (std::size_t s = 0; s < A.rows; ++s) {
    std::vector<Candidate> best(count);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      for (std::size_t k = 0; k < count; ++k) {
        insert(best, all[(rank * A.rows + s) * count + k]);
      }
    }
    for (std::size_t k = 0; k < count; ++k) {
      top[s * count + k] = static_cast<std::int32_t>(best[k].class_index);
    }
  }
}

template void top_classes(const Communicator*, Range, MatrixView<const float>, std::size_t,
                          std::span<std::int32_t>);
template void top_classes(const Communicator*, Range, MatrixView<const double>, std::size_t,
                          std::span<std::int32_t>);

}  // namespace dnn
