#include "dnn/store/missing_values.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "dnn/comm/collective_error.hpp"

namespace dnn {

namespace {

/// What is there of raw element `column` in the samples of the training set that count and are held
/// here.
std::vector<double> values_of(const Dataset& train, const Sampler& sampler, std::size_t column) {
  const Range held = train.held.value_or(Range{0, train.samples});
  std::vector<double> values;
  visit_element(train.element, [&](auto element) {
    const auto raw = train.values.as<decltype(element)>();
    for (std::size_t i = 0; i < held.size(); ++i) {
      const auto value = static_cast<double>(raw[i * train.row_elements + column]);
      const std::size_t sample = held.begin + i;
      if (!std::isnan(value) && sampler.is_training(sample) && train.counts(sample)) {
        values.push_back(value);
      }
    }
  });
  return values;
}

/// 0 of no values.
double median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) {
    return *middle;
  }
  const double below = *std::max_element(values.begin(), middle);
  return below + (*middle - below) / 2;
}

/// Collective over the leaders: the values of one column, of all nodes, on leader `root`.
std::vector<double> gather(const Communicator& leaders, const std::vector<double>& own, int root) {
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(leaders.size()));
  const std::uint64_t count = own.size();
  leaders.all_gather(std::as_bytes(std::span(&count, 1)),
                     std::as_writable_bytes(std::span(counts)));
  const auto mine = counts.begin() + leaders.rank();
  const std::uint64_t before = std::accumulate(counts.begin(), mine, std::uint64_t{0});
  const std::uint64_t total = std::accumulate(mine, counts.end(), before);
  std::vector<double> all(leaders.rank() == root ? total : 0);
  leaders.gather_slices(std::as_bytes(std::span(own)), before * sizeof(double),
                        std::as_writable_bytes(std::span(all)), root);
  return all;
}

}  // namespace

void fill_with_medians(const Communicator& world, Dataset& train, const HeldRows* held,
                       const Sampler& sampler) {
  std::vector<TableColumn*> columns;
  std::vector<std::size_t> places;
  std::size_t place = 0;
  for (TableColumn& column : train.schema.columns) {
    if (!column.is_feature()) {
      continue;
    }
    if (column.marks_missing && column.kind != ColumnKind::category) {
      columns.push_back(&column);
      places.push_back(place);
    }
    ++place;
  }
  if (columns.empty()) {
    return;
  }
  std::vector<double> medians(columns.size(), 0.0);
  const auto ranks = static_cast<std::size_t>(world.size());
  if (held != nullptr) {
    for (std::size_t c = 0; c < columns.size() && held->grid().node().is_leader(); ++c) {
      const std::size_t root = c % held->nodes();
      const std::vector<double> own = values_of(train, sampler, places[c]);
      const std::vector<double> all = gather(held->leaders(), own, static_cast<int>(root));
      medians[c] = root == held->node() ? median(all) : 0;
    }
  } else {
    agree(world, [&] {
      for (auto c = static_cast<std::size_t>(world.rank()); c < columns.size(); c += ranks) {
        medians[c] = median(values_of(train, sampler, places[c]));
      }
    });
  }
  // Every number comes from one rank and meets zeros from the others: the sum is exact.
  world.all_reduce(std::span(medians), Reduction::sum);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    columns[c]->fill = medians[c];
  }
}

void fill_with_means(TableSchema& schema, const FeatureStatistics& inputs) {
  std::size_t input = 0;
  for (TableColumn& column : schema.columns) {
    if (column.is_feature() && column.kind != ColumnKind::category && !column.marks_missing) {
      column.fill = inputs.mean(input);
    }
    input += column.inputs();
  }
}

}  // namespace dnn
