// Bits that flip in memory while a network is trained: 210 of them on one rank, 82 on several, each
// in a run of its own.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "dnn/core/random.hpp"
#include "dnn/data/batch_loader.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/store/data_watch.hpp"
#include "dnn/train/distributed_model.hpp"
#include "support/open_grid.hpp"

namespace dnn::test {
namespace {

enum class Place { none, parameters, optimizer, data, gradients };

struct Flip {
  Place place = Place::none;
  std::size_t update = 0;  ///< before which it happens, from 1; in the midst of it: of gradients
  std::uint64_t where = 0;
  unsigned bit = 0;
  int rank = 0;
};

struct Outcome {
  std::size_t found_at = 0;  ///< the update; 0: it was not found
  std::string hash;          ///< of the parameters at the end, where it was not
};

constexpr std::size_t updates = 16;

template <class T>
void flip_bit(std::span<const T> memory, const Flip& flip) {
  auto* bytes =
      const_cast<std::byte*>(reinterpret_cast<const std::byte*>(memory.data()));  // as a fault does
  const std::size_t at = flip.where % memory.size() * sizeof(T) + flip.bit / 8 % sizeof(T);
  bytes[at] ^= static_cast<std::byte>(1U << flip.bit % 8);
}

/// Where one of all W and B, or of all dW and dB, is in a flat buffer.
std::size_t element_of(const ParameterLayout& layout, std::uint64_t where) {
  std::size_t parameter = where % layout.parameter_count();
  for (const LayerLayout& layer : layout.layers()) {
    for (const Range range : {layer.weights, layer.bias}) {
      if (parameter < range.size()) {
        return range.begin + parameter;
      }
      parameter -= range.size();
    }
  }
  throw std::logic_error("a layout has fewer parameters than it says");
}

/// A training of some updates, and what is noticed of a flip in it.
class ShortTraining {
 public:
  ShortTraining(const Config& config, RankGrid& grid, const TrainingData& data, const Flip& flip)
      : config_(config),
        grid_(grid),
        data_(data),
        flip_(flip),
        plan_(RunPlan::make(config, grid, data)),
        model_(config, grid, plan_, data, data.sampler.max_share()),
        watch_(grid.node().ranks(), data.train),
        loader_(Gatherer<float>(data.train, data.normalizer), data.sampler.max_share()) {}

  Outcome run() {
    loader_.start(
        [this](std::size_t step, std::vector<std::uint64_t>& samples) {
          data_.sampler.batch(1, step, samples);
        },
        updates);
    grid_.world().barrier();  // the watch has seen the data as they are
    for (std::size_t update = 1; update <= updates; ++update) {
      if (update == flip_.update && grid_.world().rank() == flip_.rank) {
        happen();
      }
      if (const Outcome outcome{update, {}}; is_noticed(update)) {
        undo_in_data();
        return outcome;
      }
    }
    undo_in_data();
    return {0, model_.parameters_sha256()};
  }

 private:
  void happen() {
    TrainingStep<float>& step = model_.step();
    switch (flip_.place) {
      case Place::parameters:
        flip_bit(step.values(), flip_);
        break;
      case Place::optimizer: {
        Optimizer<float>& optimizer = step.optimizer();
        flip_bit(std::span<const float>(optimizer.state(flip_.where % optimizer.buffers())), flip_);
        break;
      }
      case Place::data:
        flip_bit(data_.train.values.view, flip_);
        break;
      case Place::gradients:
        // Where the ranks of a node sum them from, or what is sent.
        step.observe([this, element = element_of(step.layout(), flip_.where), done = false](
                         Range range, std::span<const float> given) mutable {
          if (!done && range.begin <= element && element < range.end) {
            flip_bit(given.subspan(element - range.begin, 1), flip_);
            done = true;
          }
        });
        break;
      default:
        break;
    }
  }

  void undo_in_data() {
    grid_.world().barrier();
    if (flip_.place == Place::data && grid_.world().rank() == flip_.rank) {
      flip_bit(data_.train.values.view, flip_);
    }
    grid_.world().barrier();
  }

  /// Makes an update; whether a fault is noticed in it, or when all is looked at after it.
  bool is_noticed(std::size_t update) {
    PhaseSeconds seconds;
    const StepResult result = model_.step().run(
        loader_.next(), data_.sampler.batch_samples(update - 1), 1, 0.01, seconds);
    model_.step().observe({});
    if (!result.counts) {
      try {
        model_.check_memory();
      } catch (const std::runtime_error&) {
      }
      return true;  // that, or numbers that are none
    }
    if (update % 4 == 0) {  // --verify-every
      try {
        (void)model_.check();
      } catch (const std::runtime_error&) {
        return true;
      }
      return grid_.world().all_reduce<std::int64_t>(watch_.look().empty() ? 0 : 1,
                                                    Reduction::max) != 0;
    }
    return false;
  }

  const Config& config_;
  RankGrid& grid_;
  const TrainingData& data_;
  const Flip flip_;
  RunPlan plan_;
  DistributedModel<float> model_;
  DataWatch watch_;
  BatchLoader<float> loader_;
};

Flip draw(std::uint32_t number, Place place) {
  const auto words = RandomStream(11, Purpose::made_up_data).block(number);
  return {place, 1 + words[0] % (updates - 4), std::uint64_t{words[1]} << 20 | words[2],
          words[3] % 32, static_cast<int>(words[3] >> 8) % world().size()};
}

TEST(BitFlips, AreFoundInParametersOptimizerAndData) {
  Config config;
  config.hidden = {32};
  config.batch_size = 64;
  OpenGrid of(world(), 1);
  {
    const TrainingData data = load_data(config, of.grid);
    const std::string clean = ShortTraining(config, of.grid, data, {}).run().hash;
    ASSERT_EQ(ShortTraining(config, of.grid, data, {}).run().hash, clean);
    std::uint32_t number = 0;
    for (const auto& [place, name, flips, of_several] :
         {std::tuple{Place::parameters, "parameters", 60U, 12U},
          {Place::optimizer, "optimizer", 60U, 12U},
          {Place::data, "data", 40U, 8U},
          {Place::gradients, "gradients", 50U, 50U}}) {
      std::size_t found = 0;
      std::size_t longest = 0;
      std::size_t wrong = 0;
      const std::uint32_t wanted = world().size() == 1 ? flips : of_several;
      for (std::uint32_t i = 0; i < wanted; ++i) {
        const Flip flip = draw(number++, place);
        const Outcome outcome = ShortTraining(config, of.grid, data, flip).run();
        found += outcome.found_at > 0 ? 1 : 0;
        longest =
            outcome.found_at > 0 ? std::max(longest, outcome.found_at - flip.update + 1) : longest;
        wrong += outcome.found_at == 0 && outcome.hash != clean ? 1 : 0;
        if (place == Place::parameters || place == Place::optimizer) {
          // The update after the flip meets it, and the next one does not count.
          EXPECT_TRUE(outcome.found_at > 0 && outcome.found_at <= flip.update + 1)
              << name << ", update " << flip.update << ", found at " << outcome.found_at;
        }
      }
      if (place == Place::data) {
        EXPECT_EQ(found, wanted);
        EXPECT_LE(longest, 4U);
      }
      if (world().is_root()) {
        std::cout << name << ": " << found << " of " << wanted << " flips found, within " << longest
                  << " updates; " << wrong << " end in another model\n";
      }
    }
    // After all that, the data are as they were.
    EXPECT_EQ(ShortTraining(config, of.grid, data, {}).run().hash, clean);
  }
  of.close();
}

}  // namespace
}  // namespace dnn::test
