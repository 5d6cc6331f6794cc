#include "dnn/products/feature_sums.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "dnn/core/add.hpp"
#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

template <class T>
void FeatureSums<T>::run(Range node, MatrixView<T> rows) const {
  const std::size_t values = columns_.values.size() / std::max<std::size_t>(rows.rows, 1) + 1;
  parallel_for_rows(rows.rows, values * rows.cols, [&](Range some) {
    std::vector<T> room(static_cast<std::size_t>(std::bit_width(node.size())) * rows.cols);
    for (std::size_t k = some.begin; k < some.end; ++k) {
      sum_feature(k, node, rows.row(k), room);
    }
  });
}

template <class T>
void FeatureSums<T>::sum_feature(std::size_t k, Range node, std::span<T> to,
                                 std::span<T> room) const {
  Terms terms{columns_.offsets[k], columns_.offsets[k + 1]};
  if (terms.begin < terms.end && node.size() < shards_.size()) {
    terms = {first_term(terms, shards_[node.begin].begin),
             first_term(terms, shards_[node.end - 1].end)};
  }
  if (terms.end - terms.begin <= 1) {
    sum_terms(terms, to);
  } else {
    add_up(terms, node, to, room);
  }
}

/// Along the tree; `terms` are all of the node's, at least one. A child without terms is left out:
/// a sum that is not -0 does not change by adding 0.
template <class T>
void FeatureSums<T>::add_up(Terms terms, Range node, std::span<T> to, std::span<T> room) const {
  if (node.size() == 1) {
    sum_terms(terms, to);
    return;
  }
  // A node's place in shards_ may be any; the tree's shape depends on its size alone.
  const std::size_t middle = node.begin + right_child({0, node.size()});
  const std::size_t split = first_term(terms, shards_[middle].begin);
  if (split == terms.begin) {
    add_up(terms, {middle, node.end}, to, room);
  } else if (split == terms.end) {
    add_up(terms, {node.begin, middle}, to, room);
  } else {
    add_up({terms.begin, split}, {node.begin, middle}, to, room);
    const std::span<T> of_right = room.first(to.size());
    add_up({split, terms.end}, {middle, node.end}, of_right, room.subspan(to.size()));
    add(of_right.data(), to.data(), to.size());
  }
}

template <class T>
void FeatureSums<T>::sum_terms(Terms terms, std::span<T> to) const {
  kernel_.indexed({columns_.values.data() + terms.begin, columns_.rows.data() + terms.begin,
                   terms.end - terms.begin, dA_.data, dA_.cols, dA_.cols, to.data()});
}

/// The first of a feature's terms whose row is `row` or a later one.
template <class T>
std::size_t FeatureSums<T>::first_term(Terms terms, std::size_t row) const {
  const auto* const rows = columns_.rows.data();
  return static_cast<std::size_t>(std::lower_bound(rows + terms.begin, rows + terms.end, row) -
                                  rows);
}

template <class T>
T FeatureSums<T>::largest() const {
  T largest{0};
  std::vector<T> row(dA_.cols);
  for (std::size_t k = 0; k < columns_.active.size(); ++k) {
    for (std::size_t i = 0; i < shards_.size() && !std::isnan(largest); ++i) {
      sum_feature(k, {i, i + 1}, row, {});
      largest = std::max(largest_magnitude(std::span<const T>(row)), largest);  // NaN comes first
    }
  }
  return largest;
}

template class FeatureSums<float>;
template class FeatureSums<double>;

}  // namespace dnn
