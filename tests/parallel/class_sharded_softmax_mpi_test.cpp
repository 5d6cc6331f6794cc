// Rows of logits cut into slices over all ranks, held against the same rows on one rank and against
// a reference in long double.

#include "dnn/parallel/class_sharded_softmax.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "dnn/core/random.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

template <class T>
constexpr T inf = std::numeric_limits<T>::infinity();

/// The extremes of the derivation: 1e4 in float, 1e300 in double.
template <class T>
constexpr T huge = sizeof(T) == 4 ? T(1e4) : T(1e300);

/// The whole rows, the same on every rank.
template <class T>
struct Rows {
  std::size_t classes = 0;
  std::vector<T> logits;  ///< S x classes
  std::vector<std::int32_t> labels;
  double smoothing = 0;
  std::vector<double> weights;         ///< of the classes
  std::vector<double> sample_weights;  ///< empty: all are 1

  [[nodiscard]] std::size_t samples() const { return labels.size(); }
  [[nodiscard]] SoftmaxCrossEntropy loss() const { return SoftmaxCrossEntropy(smoothing, weights); }
  [[nodiscard]] std::vector<T> columns(Range range) const {
    std::vector<T> part;
    for (std::size_t s = 0; s < samples(); ++s) {
      const auto first = logits.begin() + static_cast<std::ptrdiff_t>(s * classes);
      part.insert(part.end(), first + static_cast<std::ptrdiff_t>(range.begin),
                  first + static_cast<std::ptrdiff_t>(range.end));
    }
    return part;
  }
};

/// The classes of every rank, ascending.
using Slices = std::vector<Range>;

Slices even_slices(std::size_t classes) {
  Slices slices;
  for (int rank = 0; rank < world().size(); ++rank) {
    slices.push_back(
        part_of(classes, static_cast<std::size_t>(world().size()), static_cast<std::size_t>(rank)));
  }
  return slices;
}

/// Slices of whole blocks of classes.
Slices block_slices(std::size_t classes, std::size_t blocks) {
  Slices slices;
  for (const Range held : even_slices(blocks)) {
    slices.push_back({held.begin == blocks ? classes : part_of(classes, blocks, held.begin).begin,
                      held.empty() ? classes : part_of(classes, blocks, held.end - 1).end});
  }
  return slices;
}

/// Slices with all classes on rank `rank`: the others have none.
Slices all_on(int rank, std::size_t classes) {
  Slices slices;
  for (int r = 0; r < world().size(); ++r) {
    slices.push_back(r < rank    ? Range{0, 0}
                     : r == rank ? Range{0, classes}
                                 : Range{classes, classes});
  }
  return slices;
}

template <class T>
struct Outcome {
  typename ClassShardedSoftmax<T>::Result evaluated, differentiated;
  std::vector<T> dA;  ///< S x (this rank's slice)
};

template <class T>
Outcome<T> run_sharded(const Rows<T>& rows, const Slices& slices, std::size_t global_samples,
                       std::size_t blocks = 0) {
  const Range mine = slices[static_cast<std::size_t>(world().rank())];
  ClassShardedSoftmax<T> sharded(&world(), rows.classes, mine, rows.samples(), rows.loss(), blocks);
  Outcome<T> outcome;
  outcome.dA = rows.columns(mine);
  const MatrixView<T> A{outcome.dA.data(), rows.samples(), mine.size()};
  const Targets targets(rows.labels, rows.sample_weights);
  outcome.evaluated = sharded.evaluate(A, targets);
  outcome.differentiated = sharded.differentiate(A, targets, global_samples);
  return outcome;
}

/// Loss and dA of one row as the formulas read.
template <class T>
struct Reference {
  long double loss = 0;
  bool correct = false;
  std::vector<long double> y, target, dA;

  Reference(const Rows<T>& rows, std::size_t s, std::size_t global_samples)
      : y(rows.classes), target(rows.classes), dA(rows.classes) {
    const auto a = std::span(rows.logits).subspan(s * rows.classes, rows.classes);
    const auto label = static_cast<std::size_t>(rows.labels[s]);
    const auto largest = std::max_element(a.begin(), a.end());
    const auto m = static_cast<long double>(*largest);
    correct = static_cast<std::size_t>(largest - a.begin()) == label;
    long double sum = 0;
    for (const T x : a) {
      sum += std::exp(static_cast<long double>(x) - m);
    }
    const long double weight = (rows.weights.empty() ? 1 : rows.weights[label]) *
                               (rows.sample_weights.empty() ? 1 : rows.sample_weights[s]);
    for (std::size_t j = 0; j < a.size(); ++j) {
      const long double log_y = static_cast<long double>(a[j]) - m - std::log(sum);
      y[j] = std::exp(log_y);
      target[j] = static_cast<long double>(rows.smoothing) / static_cast<long double>(rows.classes);
      target[j] += j == label ? 1 - static_cast<long double>(rows.smoothing) : 0;
      loss -= target[j] > 0 ? weight * target[j] * log_y : 0;
      dA[j] = weight * (y[j] - target[j]) / static_cast<long double>(global_samples);
    }
  }
};

/// Expects what the slices give to be the reference, to a few roundings of T: those of y and ŷ, and
/// that of a_j - m, which exp makes relative. Below the smallest normal number results are 0.
template <class T>
void expect_reference(const Rows<T>& rows, const Slices& slices, const std::string& what,
                      std::size_t blocks = 0) {
  constexpr long double epsilon = std::numeric_limits<T>::epsilon();
  constexpr std::size_t global = 7;  // other shards' samples count in the mean
  const Range mine = slices[static_cast<std::size_t>(world().rank())];
  const Outcome<T> outcome = run_sharded(rows, slices, global, blocks);
  long double loss = 0;
  long double allowed_loss = 0;
  ExactSum correct;
  long double worst = 0;  // distance over what is allowed
  for (std::size_t s = 0; s < rows.samples(); ++s) {
    const Reference<T> row(rows, s, global);
    const auto a = std::span(rows.logits).subspan(s * rows.classes, rows.classes);
    const auto label = static_cast<std::size_t>(rows.labels[s]);
    const double counts = rows.sample_weights.empty() ? 1 : rows.sample_weights[s];
    const long double weight = (rows.weights.empty() ? 1 : rows.weights[label]) * counts;
    loss += row.loss;
    allowed_loss += 4 * (weight * (4 + std::log(rows.classes)) + row.loss) * epsilon;
    correct += row.correct ? counts : 0;
    const auto m = static_cast<long double>(*std::max_element(a.begin(), a.end()));
    for (std::size_t j = mine.begin; j < mine.end; ++j) {
      const long double d = row.y[j] > 0 ? m - static_cast<long double>(a[j]) : 0;
      const long double allowed =
          weight / global * (row.y[j] * (12 + d) + 4 * row.target[j]) * epsilon +
          std::numeric_limits<T>::min();
      const auto got = static_cast<long double>(outcome.dA[s * mine.size() + j - mine.begin]);
      worst = std::max(worst, std::abs(got - row.dA[j]) / allowed);
      EXPECT_FALSE(std::isnan(got));
    }
  }
  EXPECT_LE(static_cast<double>(worst), 1.0) << what;
  for (const auto& result : {outcome.evaluated, outcome.differentiated}) {
    EXPECT_EQ(result.bad_rows, 0U) << what;
    EXPECT_FALSE(result.bad) << what;
    EXPECT_NEAR(result.sums.loss.value(), static_cast<double>(loss),
                static_cast<double>(allowed_loss))
        << what;
    EXPECT_EQ(result.sums.correct.value(), correct.value()) << what;
  }
  // The same bits on every rank.
  EXPECT_EQ(world().all_reduce(outcome.evaluated.sums.loss.value(), Reduction::max),
            world().all_reduce(outcome.evaluated.sums.loss.value(), Reduction::min));
}

template <class T>
class ShardedSoftmaxOf : public testing::Test {};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(ShardedSoftmaxOf, Elements);

TYPED_TEST(ShardedSoftmaxOf, ExactAtTheExtremes) {
  using T = TypeParam;
  const T h = huge<T>;
  for (const std::vector<T>& row : {std::vector<T>{h, -h, 0, 1},
                                    {-h, -h, -h, -h},
                                    {h, h, h, h},
                                    {0, 0, 0, 0},
                                    {-h, h, -h, h},
                                    {-h, -h, -h, h}}) {
    for (std::int32_t label = 0; label < 4; ++label) {
      for (int owner = 0; owner < world().size(); ++owner) {
        expect_reference<T>({4, row, {label}}, all_on(owner, 4), "all on one rank");
      }
      expect_reference<T>({4, row, {label}}, even_slices(4), "even");
    }
  }
  const Outcome<T> sure = run_sharded<T>({3, {h, -h, 0}, {1}}, even_slices(3), 1);
  EXPECT_DOUBLE_EQ(sure.evaluated.sums.loss.value(), 2 * static_cast<double>(h));
}

// Ranks with nothing but masked classes or no class at all have no finite maximum to offer.
TYPED_TEST(ShardedSoftmaxOf, SlicesWithoutAFiniteValueTakeNoPart) {
  using T = TypeParam;
  const std::size_t classes = 3 * static_cast<std::size_t>(world().size());
  const Slices slices = even_slices(classes);
  for (int owner = 0; owner < world().size(); ++owner) {
    Rows<T> rows{classes, std::vector<T>(2 * classes, -inf<T>), {}};
    const std::size_t first = slices[static_cast<std::size_t>(owner)].begin;
    rows.labels = {static_cast<std::int32_t>(first + 1), static_cast<std::int32_t>(first + 2)};
    for (const std::size_t row : {std::size_t{0}, classes}) {
      rows.logits[row + first] = 3;
      rows.logits[row + first + 1] = huge<T>;
      rows.logits[row + first + 2] = huge<T>;
    }
    expect_reference(rows, slices, "only rank " + std::to_string(owner) + " has finite logits");
  }
}

TYPED_TEST(ShardedSoftmaxOf, MoreRanksThanClasses) {
  using T = TypeParam;
  expect_reference<T>({1, {T(-5), T(1e3)}, {0, 0}}, even_slices(1), "one class");
  expect_reference<T>({2, {1, 1, 2, 1}, {0, 1}, 0.1}, even_slices(2), "two classes");
}

TYPED_TEST(ShardedSoftmaxOf, NoSamples) {
  const auto outcome = run_sharded<TypeParam>({5, {}, {}}, even_slices(5), 3);
  EXPECT_EQ(outcome.differentiated.sums.loss.value(), 0);
  EXPECT_EQ(outcome.differentiated.bad_rows, 0U);
}

TYPED_TEST(ShardedSoftmaxOf, ManyClasses) {
  using T = TypeParam;
  Rows<T> rows{100'003, std::vector<T>(3 * 100'003), {5, 50'000, 100'002}, 0.1};
  const RandomStream stream(4, Purpose::initial_values);
  for (std::size_t i = 0; i < rows.logits.size(); ++i) {
    rows.logits[i] = static_cast<T>(20 * unit_interval(stream.word(i)) - 10);
  }
  expect_reference(rows, even_slices(rows.classes), "100,003 classes");
}

/// Whole numbers below `bound`, and others, from a seed that all ranks share.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : stream_(seed, Purpose::shuffle) {}
  double fraction() { return unit_interval(stream_.word(next_++)); }
  std::size_t below(std::size_t bound) {
    return static_cast<std::size_t>(fraction() * static_cast<double>(bound));
  }

 private:
  RandomStream stream_;
  std::uint64_t next_ = 0;
};

Slices random_slices(Draw& draw, std::size_t classes) {
  std::vector<std::size_t> cuts = {0, classes};
  for (int cut = 1; cut < world().size(); ++cut) {
    cuts.push_back(draw.below(classes + 1));
  }
  std::sort(cuts.begin(), cuts.end());
  Slices slices;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    slices.push_back({cuts[i], cuts[i + 1]});
  }
  return slices;
}

template <class T>
Rows<T> random_rows(Draw& draw) {
  Rows<T> rows;
  rows.classes = 1 + draw.below(draw.below(4) == 0 ? 200 : 12);
  const std::size_t samples = draw.below(6);
  const bool masks = draw.below(4) == 0;
  rows.smoothing = !masks && draw.below(3) == 0 ? 0.3 * draw.fraction() : 0;
  if (draw.below(3) == 0) {
    for (std::size_t c = 0; c < rows.classes; ++c) {
      rows.weights.push_back(2 * draw.fraction());
    }
  }
  for (std::size_t s = 0; s < samples; ++s) {
    const double size =
        std::array{0.0, 1e-3, 1.0, 30.0, 500.0, static_cast<double>(huge<T>)}[draw.below(6)];
    const double offset = draw.below(4) == 0 ? size * draw.fraction() : 0;
    const std::size_t label = draw.below(rows.classes);
    for (std::size_t c = 0; c < rows.classes; ++c) {
      const double x = offset + size * (2 * draw.fraction() - 1);
      const bool masked = masks && c != label && draw.below(2) == 0;
      rows.logits.push_back(masked ? -inf<T> : static_cast<T>(x));
    }
    rows.labels.push_back(static_cast<std::int32_t>(label));
  }
  if (draw.below(3) == 0) {
    for (std::size_t s = 0; s < samples; ++s) {
      rows.sample_weights.push_back(draw.below(4) == 0 ? 0 : 3 * draw.fraction());
    }
  }
  return rows;
}

TYPED_TEST(ShardedSoftmaxOf, RandomSplitsShapesAndMagnitudes) {
  using T = TypeParam;
  // Other ones, and fewer of them, on more ranks: each of their messages waits for other processes.
  const auto ranks = static_cast<std::uint64_t>(world().size());
  for (std::uint64_t seed = ranks - 1; seed < 2000; seed += ranks) {
    Draw draw(seed);
    const Rows<T> rows = random_rows<T>(draw);
    const Slices slices = random_slices(draw, rows.classes);
    expect_reference(rows, slices, "seed " + std::to_string(seed));
    if (draw.below(4) == 0) {
      const std::size_t blocks = 1 + draw.below(std::min<std::size_t>(rows.classes, 9));
      expect_reference(rows, block_slices(rows.classes, blocks),
                       "in blocks, seed " + std::to_string(seed), blocks);
    }
  }
}

/// A single bad logit, in any place.
template <class T>
void expect_named(T bad, std::size_t classes, std::size_t blocks = 0) {
  const Slices slices = blocks > 0 ? block_slices(classes, blocks) : even_slices(classes);
  const Range mine = slices[static_cast<std::size_t>(world().rank())];
  for (std::size_t at = 0; at < classes; ++at) {
    Rows<T> rows{classes, std::vector<T>(3 * classes, T{1}), {0, 0, 0}};
    rows.logits[classes + at] = bad;
    const Outcome<T> outcome = run_sharded(rows, slices, 3, blocks);
    for (const auto& result : {outcome.evaluated, outcome.differentiated}) {
      EXPECT_EQ(result.bad_rows, 1U);  // on every rank
      EXPECT_TRUE(std::isnan(result.sums.loss.value()));
      const bool has_it = at >= mine.begin && at < mine.end;
      EXPECT_EQ(result.bad.has_value(), has_it) << "one rank names it";
      if (result.bad) {
        EXPECT_EQ(result.bad->row, 1U);
        EXPECT_EQ(result.bad->class_index, at);
        EXPECT_NE(result.bad->what.find("NaN or +inf"), std::string::npos);
      }
    }
  }
}

TYPED_TEST(ShardedSoftmaxOf, EveryRankHearsOfABadLogitAndOneNamesIt) {
  using T = TypeParam;
  const auto ranks = static_cast<std::size_t>(world().size());
  expect_named<T>(std::numeric_limits<T>::quiet_NaN(), 2 * ranks + 1);
  expect_named<T>(inf<T>, 2 * ranks + 1);
  expect_named<T>(inf<T>, 1);
  expect_named<T>(inf<T>, 9, 4);
  expect_named<T>(std::numeric_limits<T>::quiet_NaN(), 8, 8);
}

// A NaN beside nothing but masked classes does not hide behind their maximum.
TYPED_TEST(ShardedSoftmaxOf, ANaNAmongMaskedClassesIsFound) {
  using T = TypeParam;
  const std::size_t classes = 2 * static_cast<std::size_t>(world().size());
  const Slices slices = even_slices(classes);
  const std::size_t last = classes - 1;
  Rows<T> rows{classes, std::vector<T>(classes, T{0}), {0}};
  rows.logits[last - 1] = -inf<T>;
  rows.logits[last] = std::numeric_limits<T>::quiet_NaN();
  const Outcome<T> outcome = run_sharded(rows, slices, 1);
  for (const auto& result : {outcome.evaluated, outcome.differentiated}) {
    EXPECT_EQ(result.bad_rows, 1U);
    EXPECT_EQ(result.bad.has_value(), world().rank() == world().size() - 1);
  }
}

TYPED_TEST(ShardedSoftmaxOf, MaskedLabelsAndRowsAreNamedOnce) {
  using T = TypeParam;
  const std::size_t classes = 2 * static_cast<std::size_t>(world().size());
  const Slices slices = even_slices(classes);
  Rows<T> rows{classes, std::vector<T>(2 * classes, T{0}), {1, 0}};
  rows.logits[1] = -inf<T>;
  std::fill(rows.logits.begin() + static_cast<std::ptrdiff_t>(classes), rows.logits.end(), -inf<T>);
  const Outcome<T> outcome = run_sharded(rows, slices, 1);
  for (const auto& result : {outcome.evaluated, outcome.differentiated}) {
    EXPECT_EQ(result.bad_rows, 2U);
    EXPECT_EQ(result.bad.has_value(), world().is_root());
    if (result.bad) {
      EXPECT_EQ(result.bad->row, 0U);
      EXPECT_EQ(result.bad->class_index, 1U);
    }
  }
  rows.labels[0] = 0;
  const Outcome<T> masked_row = run_sharded(rows, slices, 1);
  EXPECT_EQ(masked_row.evaluated.bad_rows, 1U);
  EXPECT_EQ(masked_row.evaluated.bad.has_value(), world().is_root());
}

}  // namespace
}  // namespace dnn
