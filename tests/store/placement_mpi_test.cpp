// Three ranks choose by the memory of their nodes, and take over what leaders have read.

#include "dnn/store/placement.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/scratch_memory.hpp"
#include "dnn/store/shared_dataset.hpp"
#include "support/little_memory.hpp"
#include "support/mpi_world.hpp"
#include "support/open_grid.hpp"
#include "support/shared_folder.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::LittleMemory;
using test::world;

constexpr std::size_t mib = std::size_t{1} << 20;

TEST(PlacementOfRanks, APartThatTheOnlyRankOfEachNodeHasReadNeedsNoMoreMemory) {
  test::OpenGrid of(world(), 1, 0, world().rank());
  const auto free = world().all_reduce<std::uint64_t>(
      std::min(available_memory(), std::size_t{1} << 50), Reduction::max);
  const FeatureMemory read{.bytes = 6 * free, .has_part = true};
  EXPECT_EQ(choose_placement(DataSettings(), of.grid, read).placement, Placement::job);
  of.close();
}

// Rank 0 alone on its node has all features; the node of the other two has room for a copy.
TEST(PlacementOfRanks, ANodeThatNeedsNoCopyMayHaveLittleMemory) {
  test::OpenGrid of(world(), 1, 0, world().is_root() ? 0 : 1);
  const FeatureMemory read{.bytes = 100 * mib, .has_all = true};
  {
    std::optional<LittleMemory> little;
    if (world().is_root()) {
      little.emplace(50 * mib);
      EXPECT_LT(available_memory(), read.bytes);
    }
    EXPECT_EQ(choose_placement(DataSettings(), of.grid, read).placement, Placement::node);
  }
  of.close();
}

/// Whether bytes are mapped from a file of a folder.
bool are_in_folder(const Bytes& bytes, const std::string& folder) {
  std::ifstream maps("/proc/self/maps");
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.view.data());
  for (std::string line; std::getline(maps, line);) {
    const std::uintptr_t begin = std::stoull(line, nullptr, 16);
    const std::uintptr_t end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    if (address >= begin && address < end) {
      return line.find(folder) != std::string::npos;
    }
  }
  return false;
}

TEST(PlacementOfRanks, WhatWasReadIntoSpareMemoryIsTakenIntoMemory) {
  const test::SharedFolder folder;
  const ScratchMemory spare(folder.path());
  constexpr std::size_t samples = 30'000;
  const auto in_spare = [&](const auto& numbers) {
    using T = typename std::decay_t<decltype(numbers)>::value_type;
    return Bytes::from(
        ScratchVector<T>(numbers.begin(), numbers.end(), ScratchAllocator<T>(spare)));
  };
  Dataset read;
  read.samples = samples;
  read.features = read.row_elements = 7;
  read.values = in_spare(test::numbers<float>(samples * read.features, 3));
  read.labels = in_spare(std::vector<std::int32_t>(samples, 1));
  read.in_spare_memory = true;
  ASSERT_TRUE(are_in_folder(read.values, folder.path()));
  ASSERT_TRUE(are_in_folder(read.labels, folder.path()));
  for (const bool is_part : {false, true}) {
    for (const int of_node : {world().rank(), world().is_root() ? 0 : 1}) {
      test::OpenGrid of(world(), 1, 0, of_node);
      Dataset own = read;
      const Range mine = is_part ? part_of_node(of.grid, samples) : Range{0, samples};
      if (is_part) {
        keep_rows(own, mine);
      }
      const Dataset data =
          share_dataset(world(), of.node, of.node.is_leader() ? std::optional(own) : std::nullopt,
                        false, HeldFeatures::kept);
      EXPECT_FALSE(are_in_folder(data.values, folder.path()));
      EXPECT_FALSE(are_in_folder(data.labels, folder.path()));
      EXPECT_FALSE(data.in_spare_memory);
      const auto wanted =
          read.values.as<float>().subspan(mine.begin * read.features, mine.size() * read.features);
      EXPECT_TRUE(std::ranges::equal(data.values.as<float>(), wanted));
      EXPECT_TRUE(std::ranges::equal(data.labels.view, read.labels.view));
      of.close();
    }
  }
}

}  // namespace
}  // namespace dnn
