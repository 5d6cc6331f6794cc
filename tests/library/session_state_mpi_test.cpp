#include "dnn/library/session_state.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "dnn/library/global_order.hpp"
#include "support/mpi_world.hpp"
#include "support/saved_model_example.hpp"

namespace dnn::test {
namespace {

/// Three samples of each rank, of any homes.
SampleStore::Contents three_samples() {
  SampleStore::Contents samples{{{.features = 1, .wide = true}, {}}, {}};
  for (std::uint64_t i = 0; i < 3; ++i) {
    const std::uint64_t id = 10 * static_cast<std::uint64_t>(world().rank()) + i;
    std::vector<std::byte> record(samples.records.form.bytes());
    std::memcpy(record.data(), &id, sizeof(id));
    samples.records.add(record);
    samples.updates.push_back(2 * id);
  }
  return samples;
}

SessionState example_state(OptimizerKind optimizer) {
  const SavedModelExample example;
  SessionState state;
  state.model = {example.description, packed_parameters<float>(example.layout, example.values)};
  state.updates = 7;
  state.learning_rate = 0.25;
  state.optimizer = optimizer;
  Checkpoint& steps = state.steps.emplace();
  steps.widths = example.description.widths;
  steps.parameters = state.model.parameters;
  steps.optimizer_state = {steps.parameters, steps.parameters};
  std::ranges::reverse(steps.optimizer_state.back());
  steps.optimizer_steps = 6;
  steps.residuals = {"", "a residual"};
  state.store = three_samples();
  return state;
}

void expect_samples(const SampleStore::Contents& own) {
  const auto ranks = static_cast<std::size_t>(world().size());
  EXPECT_EQ(own.records.form, (RecordForm{.features = 1, .wide = true}));
  ASSERT_EQ(own.records.size(), own.updates.size());
  for (std::size_t i = 0; i < own.updates.size(); ++i) {
    const std::uint64_t id = own.records.id(i);
    EXPECT_EQ(SampleStore::home_of(id, ranks), static_cast<std::size_t>(world().rank()));
    EXPECT_EQ(own.updates[i], 2 * id);
  }
  std::vector<std::uint64_t> all;
  for (const auto& list : all_gather_lists(world(), own.records.ids())) {
    all.insert(all.end(), list.begin(), list.end());
  }
  std::ranges::sort(all);
  std::vector<std::uint64_t> expected;
  for (std::uint64_t rank = 0; rank < ranks; ++rank) {
    expected.insert(expected.end(), {10 * rank, 10 * rank + 1, 10 * rank + 2});
  }
  EXPECT_EQ(all, expected);
}

// Binaries of 4 GiB are none in MessagePack; here, those of more than a few bytes are cut.
TEST(SessionStateBytes, AreReadInPiecesAndWhole) {
  LibrarySettings settings;
  settings.store = 100;
  const SessionState state = example_state(settings.config.optimizer);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, largest_piece}) {
    const std::vector<std::byte> bytes = gather_state(world(), state, piece);
    EXPECT_EQ(bytes.empty(), !world().is_root());
    const SessionState back = scatter_state(world(), bytes, settings);
    EXPECT_EQ(back.model.description.widths, state.model.description.widths);
    EXPECT_EQ(back.model.parameters, state.model.parameters);
    EXPECT_EQ(back.updates, 7U);
    EXPECT_EQ(back.learning_rate, 0.25);
    ASSERT_TRUE(back.steps);
    if (world().is_root()) {
      EXPECT_EQ(back.steps->parameters, state.steps->parameters);
      EXPECT_EQ(back.steps->optimizer_state, state.steps->optimizer_state);
      EXPECT_EQ(back.steps->optimizer_steps, 6U);
      EXPECT_EQ(back.steps->residuals, state.steps->residuals);
    }
    ASSERT_TRUE(back.store);
    expect_samples(*back.store);
  }
}

}  // namespace
}  // namespace dnn::test
