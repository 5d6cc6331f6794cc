#include "dnn/store/row_windows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "dnn/store/shared_dataset.hpp"
#include "support/mpi_world.hpp"
#include "support/open_grid.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::world;

/// Layouts of the ranks on nodes.
std::vector<int> ways_to_lie() {
  const int rank = world().rank();
  return {0, rank, rank / 2, rank % 2};
}

/// Calls `work(data, held)` where the nodes share out the features of `whole`.
template <class Work>
void with_held(const Dataset& whole, int of_node, Work&& work) {
  test::OpenGrid of(world(), 1, 0, of_node);
  {
    const Range mine = part_of(whole.samples, of.grid.nodes(), of.grid.node_number());
    std::optional<Dataset> own;
    if (of.node.is_leader()) {
      own = whole;
      keep_rows(*own, mine);
    }
    const Dataset data = share_dataset(world(), of.node, std::move(own), false, HeldFeatures::kept);
    const HeldRows held(of.grid, mine);
    work(data, held);
  }
  of.close();
}

/// Whether `rows` are those of `samples` in `whole`.
bool are_rows_of(const Dataset& whole, const FeatureRows& rows,
                 const std::vector<std::uint64_t>& samples) {
  std::vector<std::uint64_t> places;
  const FeatureRows wanted = rows_of(whole, samples, places);
  const RowUnits units(whole);
  const auto are_equal = [&](const void* a, const void* b, std::size_t i, std::size_t size) {
    return std::memcmp(static_cast<const char*>(a) + rows.places[i] * size,
                       static_cast<const char*>(b) + wanted.places[i] * size,
                       units.of(samples[i]) * size) == 0;
  };
  bool equal = rows.places.size() == samples.size();
  for (std::size_t i = 0; i < samples.size() && equal; ++i) {
    equal = are_equal(rows.values, wanted.values, i, units.value_bytes()) &&
            (units.column_bytes() == 0 ||
             are_equal(rows.columns, wanted.columns, i, units.column_bytes()));
  }
  return equal;
}

TEST(RowWindows, RanksOfANodeShareTheSearchForWhatLeavesIt) {
  Dataset whole;
  whole.samples = 1003;
  whole.features = whole.row_elements = 5;
  whole.values = Bytes::from(test::numbers<float>(whole.samples * whole.features, 3));
  for (const int node : ways_to_lie()) {
    with_held(whole, node, [&](const Dataset& data, const HeldRows& held) {
      const RankGrid& grid = held.grid();
      const Sampler sampler({.samples = whole.samples,
                             .held_out = 100,
                             .batch_size = 64,
                             .seed = 7,
                             .ranks = grid.data_shards(),
                             .rank = grid.data_shard()});
      std::uint64_t searched = 0;
      RowWindows windows(data, held,
                         {.plan =
                              [&](std::size_t pass, std::size_t step, std::size_t shard,
                                  std::vector<std::uint64_t>& samples) {
                                sampler.append_batch(pass, step, shard, samples);
                              },
                          .finder = [&](std::size_t pass) -> RowWindows::Finder {
                            return
                                [&searched, places = sampler.places(pass)](std::uint64_t sample) {
                                  ++searched;
                                  return places.of(sample);
                                };
                          },
                          .steps = sampler.steps(),
                          .samples = sampler.training_samples(),
                          .batch = 64,
                          .passes = 2,
                          .bytes = 1500});
      std::vector<std::uint64_t> samples;
      std::vector<std::uint64_t> places;
      for (std::size_t pass = 0; pass < 2; ++pass) {
        windows.begin(pass, 0);
        for (std::size_t step = 0; step < sampler.steps(); ++step) {
          windows.require(step);
          sampler.batch(pass, step, samples);
          EXPECT_TRUE(are_rows_of(whole, windows.of_batch(step, samples, places), samples)) << step;
          windows.look_ahead();
        }
      }
      windows.finish();
      EXPECT_EQ(grid.node().ranks().all_reduce(searched, Reduction::sum),
                2 * held.of(held.node()).size());
    });
  }
}

// Rows of one stored value, and at the end rows of 100.
TEST(RowWindows, AWindowOfLongRowsHasFewerBatches) {
  const auto shards = static_cast<std::size_t>(world().size());
  constexpr std::size_t long_row = 100;
  Dataset whole;
  whole.samples = 400 * shards;
  whole.features = long_row;
  std::vector<std::uint64_t> offsets = {0};
  std::vector<std::uint32_t> columns;
  for (std::size_t i = 0; i < whole.samples; ++i) {
    for (std::size_t k = 0; k < (i < 360 * shards ? 1 : long_row); ++k) {
      columns.push_back(static_cast<std::uint32_t>(k));
    }
    offsets.push_back(columns.size());
  }
  whole.values = Bytes::from(test::numbers<float>(columns.size(), 4));
  whole.value_columns = Bytes::from(std::move(columns));
  whole.row_offsets = Bytes::from(std::move(offsets));
  constexpr std::size_t at_a_time = 4;
  constexpr std::size_t window = 4000;
  const auto plan = [shards](std::size_t step, std::size_t shard,
                             std::vector<std::uint64_t>& samples) {
    for (std::size_t i = 0; i < at_a_time; ++i) {
      samples.push_back((step * shards + shard) * at_a_time + i);
    }
  };
  for (const int node : ways_to_lie()) {
    with_held(whole, node, [&](const Dataset& data, const HeldRows& held) {
      const RowUnits units(whole);
      RowWindows windows(
          data, held,
          {.plan = [&](std::size_t, std::size_t step, std::size_t shard,
                       std::vector<std::uint64_t>& samples) { plan(step, shard, samples); },
           .steps = 100,
           .batch = at_a_time * shards,
           .bytes = window});
      std::size_t most = 0;
      std::vector<std::uint64_t> places;
      windows.begin(0, 0);
      for (std::size_t step = 0; step < 100; ++step) {
        windows.require(step);
        std::vector<std::uint64_t> samples;
        plan(step, held.grid().data_shard(), samples);
        const FeatureRows rows = windows.of_batch(step, samples, places);
        EXPECT_TRUE(are_rows_of(whole, rows, samples)) << step;
        for (std::size_t i = 0; i < samples.size(); ++i) {
          most = std::max(most, rows.places[i] + units.of(samples[i]));
        }
        windows.look_ahead();
      }
      windows.finish();
      // The last batch may go beyond the window, and a node may have more ranks than the mean.
      const std::size_t batch = at_a_time * long_row * units.bytes() * shards / held.nodes();
      EXPECT_LE(most * units.bytes(), 2 * (window + batch));
    });
  }
}

}  // namespace
}  // namespace dnn
