#include "dnn/parallel/ensemble_exchange.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "dnn/nn/ensemble_average.hpp"
#include "dnn/nn/softmax.hpp"
#include "support/ensemble_reference.hpp"
#include "support/mpi_world.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::self;
using test::world;

TEST(EnsembleLayout, EveryShardHoldsEveryModelOnce) {
  for (std::size_t ranks = 1; ranks <= 12; ++ranks) {
    for (std::size_t models = 1; models <= 6; ++models) {
      const EnsembleLayout layout{ranks, models};
      std::vector<std::size_t> holders(models, 0);
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        EXPECT_EQ(intersect(layout.ranks_of(layout.shard_of(rank)), {rank, rank + 1}).size(), 1U);
        const Range own = layout.models_of(rank);
        EXPECT_LE(own.size(), (models + ranks - 1) / ranks);
        for (std::size_t k = own.begin; k < own.end; ++k) {
          ++holders[k];
        }
      }
      EXPECT_EQ(holders,
                std::vector<std::size_t>(models, std::max<std::size_t>(1, ranks / models)));
    }
  }
}

/// What model k says of a sample, at magnitudes that differ from sample to sample.
template <class T>
std::vector<T> logits_of(std::size_t k, std::size_t sample, std::size_t classes) {
  const T huge = sizeof(T) == 4 ? T(1e4) : T(1e300);
  const T inf = std::numeric_limits<T>::infinity();
  auto a = test::numbers<T>(classes, 7 + k + 100 * sample);
  switch (sample % 5) {
    case 1:
      std::transform(a.begin(), a.end(), a.begin(), [](T x) { return x * 100; });
      break;
    case 2:
      std::fill(a.begin(), a.end(), k % 2 == 0 ? huge : -huge);
      break;
    case 3:
      std::fill(a.begin(), a.end(), -huge);
      a[sample % classes] = huge;
      break;
    case 4:
      a[sample % classes] = -inf;
      break;
    default:
      break;
  }
  return a;
}

/// Collective over `ranks`: the ensemble's probabilities of all samples, on every rank.
template <class T>
std::vector<T> score(const Communicator& ranks, EnsembleAverage kind, std::size_t models,
                     std::size_t samples, std::size_t classes, std::size_t rows) {
  EnsembleExchange<T> exchange(ranks, models, classes, rows);
  std::vector<T> y(samples * classes, T{0});
  std::vector<std::int32_t> reversed(classes);
  for (std::size_t j = 0; j < classes; ++j) {
    reversed[j] = static_cast<std::int32_t>(classes - 1 - j);
  }
  for (std::size_t first = 0; first < samples; first += rows * exchange.shards()) {
    const std::size_t begin = std::min(first + exchange.shard() * rows, samples);
    const std::size_t count = std::min(rows, samples - begin);
    for (std::size_t k = exchange.models().begin; k < exchange.models().end; ++k) {
      std::vector<T> A;
      for (std::size_t s = 0; s < count; ++s) {
        auto a = logits_of<T>(k, begin + s, classes);
        if (k % 2 == 1) {  // a model whose classes have another order
          std::reverse(a.begin(), a.end());
        }
        A.insert(A.end(), a.begin(), a.end());
      }
      exchange.put(
          k, MatrixView<const T>{A.data(), count, classes},
          k % 2 == 1 ? std::span<const std::int32_t>(reversed) : std::span<const std::int32_t>());
    }
    const Range mine = exchange.exchange(count);
    for (std::size_t row = mine.begin; row < mine.end; ++row) {
      const auto to = std::span(y).subspan((begin + row) * classes, classes);
      average<T>(kind, Task::classes, exchange.logits(row), to);
      softmax(to);
    }
  }
  // Every sample comes from one rank and meets zeros from the others: the sum is exact.
  ranks.all_reduce(std::span(y), Reduction::sum);
  return y;
}

template <class T>
void check_all() {
  constexpr std::size_t samples = 37;
  for (const EnsembleAverage kind : {EnsembleAverage::logits, EnsembleAverage::probabilities}) {
    for (const std::size_t models : {1U, 2U, 3U, 5U}) {
      for (const std::size_t classes : {2U, 7U, 100U}) {
        for (const std::size_t rows : {1U, 4U, 64U}) {
          const auto y = score<T>(world(), kind, models, samples, classes, rows);
          const auto alone = score<T>(self(), kind, models, samples, classes, rows);
          EXPECT_EQ(std::memcmp(y.data(), alone.data(), y.size() * sizeof(T)), 0);
          for (std::size_t s = 0; s < samples; ++s) {
            std::vector<std::vector<T>> A;
            for (std::size_t k = 0; k < models; ++k) {
              A.push_back(logits_of<T>(k, s, classes));
            }
            const auto from = y.begin() + static_cast<std::ptrdiff_t>(s * classes);
            test::expect_is_reference<T>(kind, A,
                                         {from, from + static_cast<std::ptrdiff_t>(classes)});
          }
        }
      }
    }
  }
}

TEST(EnsembleExchange, FloatIsTheReferenceWithTheBitsOfOneRank) {
  check_all<float>();
}
TEST(EnsembleExchange, DoubleIsTheReferenceWithTheBitsOfOneRank) {
  check_all<double>();
}

TEST(EnsembleExchange, TakesModelsOfFloatAmongThoseOfDouble) {
  constexpr std::size_t classes = 3;
  EnsembleExchange<double> exchange(world(), 2, classes, 1);
  const std::vector<float> narrow = {0.1F, -2, 3};
  const std::vector<double> wide = {0.1, -2, 3};
  for (std::size_t k = exchange.models().begin; k < exchange.models().end; ++k) {
    if (k == 0) {
      exchange.put(k, MatrixView<const float>{narrow.data(), 1, classes}, {});
    } else {
      exchange.put(k, MatrixView<const double>{wide.data(), 1, classes}, {});
    }
  }
  const Range mine = exchange.exchange(1);
  for (std::size_t row = mine.begin; row < mine.end; ++row) {
    const auto logits = exchange.logits(row);
    EXPECT_EQ(logits[0][0], static_cast<double>(0.1F));
    EXPECT_EQ(logits[1][0], 0.1);
  }
}

}  // namespace
}  // namespace dnn
