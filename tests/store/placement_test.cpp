#include "dnn/store/placement.hpp"

#include <gtest/gtest.h>

#include <string>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

DataSettings settings(Placement placement, const std::string& scratch = "", std::size_t folds = 0) {
  DataSettings wanted;
  wanted.placement = placement;
  wanted.scratch = scratch;
  wanted.folds = folds;
  return wanted;
}

constexpr std::uint64_t mib = 1 << 20;

/// Features of 100 MiB, on nodes that all need memory for them.
PlacementRoom room(std::uint64_t free_mib, std::size_t nodes) {
  return {100 * mib, free_mib * mib, free_mib * mib, nodes};
}

Placement chosen(const DataSettings& wanted, const PlacementRoom& room) {
  return choose_placement(wanted, room).placement;
}

TEST(Placement, AutomaticTakesTheFirstThatFits) {
  const DataSettings wanted = settings(Placement::automatic);
  const DataSettings with_disk = settings(Placement::automatic, "/scratch");
  EXPECT_EQ(chosen(wanted, room(100, 1)), Placement::node);
  EXPECT_EQ(chosen(with_disk, room(100, 4)), Placement::node);
  EXPECT_EQ(chosen(with_disk, room(99, 4)), Placement::job);
  EXPECT_EQ(chosen(with_disk, room(25, 4)), Placement::job);
  EXPECT_EQ(chosen(with_disk, room(24, 4)), Placement::disk);
  EXPECT_EQ(chosen(with_disk, room(99, 1)), Placement::disk);
  EXPECT_EQ(chosen(settings(Placement::automatic, "/scratch", 3), room(99, 4)), Placement::disk);
  EXPECT_NE(choose_placement(with_disk, room(99, 4)).why.find("100.0 MiB a node"),
            std::string::npos);
}

TEST(Placement, ANodeThatHasWhatItNeedsNeedsNoMemory) {
  constexpr std::uint64_t unlimited = PlacementRoom::unlimited;
  const DataSettings wanted = settings(Placement::automatic);
  EXPECT_EQ(chosen(wanted, {100 * mib, unlimited, mib, 1}), Placement::node);
  EXPECT_EQ(chosen(settings(Placement::node), {100 * mib, unlimited, mib, 4}), Placement::node);
  EXPECT_EQ(chosen(wanted, {100 * mib, 20 * mib, unlimited, 4}), Placement::job);
  EXPECT_EQ(chosen(settings(Placement::job), {100 * mib, 20 * mib, unlimited, 4}), Placement::job);
  EXPECT_THROW((void)chosen(settings(Placement::node), {100 * mib, 20 * mib, unlimited, 4}),
               InputError);
}

TEST(Placement, WhatFitsNowhereIsRefusedWithWhatToDo) {
  for (const Placement placement : {Placement::automatic, Placement::node, Placement::job}) {
    test::expect_error<InputError>(
        [&] { (void)choose_placement(settings(placement), room(24, 4)); },
        {"100.0 MiB a node", "24.0 MiB", "--placement disk --scratch DIR"});
  }
  test::expect_error<InputError>(
      [&] { (void)choose_placement(settings(Placement::node), room(50, 4)); },
      {"--placement disk --scratch DIR", "or --placement job"});
}

TEST(Placement, WhatIsAskedForIsTaken) {
  EXPECT_EQ(chosen(settings(Placement::job), room(1000, 4)), Placement::job);
  EXPECT_EQ(chosen(settings(Placement::disk, "/scratch"), room(1000, 4)), Placement::disk);
  EXPECT_EQ(chosen(settings(Placement::node), room(1000, 4)), Placement::node);
  EXPECT_EQ(chosen(settings(Placement::job), room(1000, 1)), Placement::node);
  test::expect_error<InputError>(
      [] { (void)choose_placement(settings(Placement::job, "", 3), room(1000, 4)); },
      {"--placement job with --folds"});
}

}  // namespace
}  // namespace dnn
