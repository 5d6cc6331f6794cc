#include "dnn/library/sample_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "dnn/library/global_order.hpp"
#include "support/mpi_world.hpp"

namespace dnn::test {
namespace {

/// Samples of one feature, a rank's share of ids [first, last); each has the value `value`.
Records samples(std::uint64_t first, std::uint64_t last, double value = 0) {
  Records records{{.features = 1, .wide = true}, {}};
  for (std::uint64_t id = first; id < last; ++id) {
    if (id % static_cast<std::uint64_t>(world().size()) ==
        static_cast<std::uint64_t>(world().rank())) {
      std::vector<std::byte> record(records.form.bytes());
      std::memcpy(record.data(), &id, sizeof(id));
      std::memcpy(record.data() + RecordForm::features_at(), &value, sizeof(value));
      records.add(record);
    }
  }
  return records;
}

/// The ids that the ranks have, in ascending order.
std::vector<std::uint64_t> ids_of(const Records& records) {
  std::vector<std::uint64_t> all;
  for (const auto& list : all_gather_lists(world(), records.ids())) {
    all.insert(all.end(), list.begin(), list.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

// What one message cannot take travels rank by rank.
TEST(AllGatherLists, HaveWhatEachRankGives) {
  std::vector<std::uint64_t> own;
  for (int i = 0; i <= world().rank(); ++i) {
    own.push_back(static_cast<std::uint64_t>(100 * world().rank() + i));
  }
  for (const std::size_t most_at_once : {1U, 2U, 1000U}) {
    const auto lists = all_gather_lists(world(), own, most_at_once);
    ASSERT_EQ(lists.size(), static_cast<std::size_t>(world().size()));
    for (std::size_t rank = 0; rank < lists.size(); ++rank) {
      ASSERT_EQ(lists[rank].size(), rank + 1);
      for (std::size_t i = 0; i <= rank; ++i) {
        EXPECT_EQ(lists[rank][i], 100 * rank + i);
      }
    }
  }
}

TEST(SampleStore, KeepsTheNewest) {
  SampleStore store(30, StoreKeeps::newest, 1);
  for (std::uint64_t update = 1; update <= 5; ++update) {
    store.add(world(), samples(20 * update, 20 * update + 20), update);
  }
  const auto held = ids_of(store.contents().records);
  ASSERT_EQ(held.size(), 30U);
  EXPECT_GE(held.front(), 80U);  // of the last two updates
  EXPECT_EQ(std::count_if(held.begin(), held.end(), [](auto id) { return id >= 100; }), 20);
}

TEST(SampleStore, KeepsASampleOfAllThatWereGiven) {
  SampleStore store(1000, StoreKeeps::sample, 1);
  for (std::uint64_t update = 1; update <= 10; ++update) {
    store.add(world(), samples(1000 * (update - 1), 1000 * update), update);
  }
  const auto held = ids_of(store.contents().records);
  ASSERT_EQ(held.size(), 1000U);
  std::vector<int> of_thousand(10);
  for (const std::uint64_t id : held) {
    ++of_thousand[id / 1000];
  }
  for (const int count : of_thousand) {
    EXPECT_NEAR(count, 100, 45);  // the deviation is 9.5
  }
}

TEST(SampleStore, ASampleTakesThePlaceOfTheOneBefore) {
  SampleStore store(100, StoreKeeps::sample, 1);
  store.add(world(), samples(0, 50, 1), 1);
  store.add(world(), samples(0, 50, 2), 2);
  const SampleStore::Contents contents = store.contents();
  EXPECT_EQ(ids_of(contents.records).size(), 50U);
  for (std::size_t i = 0; i < contents.records.size(); ++i) {
    double value = 0;
    std::memcpy(&value, contents.records.record(i).data() + RecordForm::features_at(),
                sizeof(value));
    EXPECT_EQ(value, 2);
    EXPECT_EQ(contents.updates[i], 2U);
  }
}

TEST(SampleStore, DrawsOthersAtEachUpdate) {
  SampleStore store(200, StoreKeeps::sample, 1);
  store.add(world(), samples(0, 200), 1);
  const auto first = ids_of(store.draw(world(), 50, 1));
  const auto second = ids_of(store.draw(world(), 50, 2));
  EXPECT_EQ(first.size(), 50U);
  EXPECT_EQ(std::adjacent_find(first.begin(), first.end()), first.end());
  EXPECT_NE(first, second);
  EXPECT_EQ(first, ids_of(store.draw(world(), 50, 1)));
  EXPECT_EQ(ids_of(store.draw(world(), 500, 3)).size(), 200U);
}

}  // namespace
}  // namespace dnn::test
