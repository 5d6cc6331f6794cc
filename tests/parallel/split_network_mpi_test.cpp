// A network that all ranks hold together, held against the same network on each rank alone:
// initial values, logits and gradients are those of the whole.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "dnn/nn/initializer.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/parallel/model_group_sums.hpp"
#include "dnn/parallel/split_rule.hpp"
#include "support/bf16_unit.hpp"
#include "support/mpi_world.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::world;

constexpr std::size_t samples = 9;

std::size_t parts() {
  return static_cast<std::size_t>(world().size());
}
std::size_t part() {
  return static_cast<std::size_t>(world().rank());
}

/// One rank's network with its buffers, after a forward and a backward pass.
template <class T>
struct Passed {
  ParameterLayout layout;
  std::vector<T> values, gradients, logits;
  T of_some = 0;  ///< see Network::backward

  /// `dA`: dA^N of the whole, S x M_N.
  Passed(ParameterLayout of, PartialSums<T>* group, const std::vector<T>& X,
         const std::vector<T>& dA, double dropout, ProductKind products)
      : layout(std::move(of)), values(layout.size()), gradients(layout.size()) {
    initialize(layout, Initializer::he, 5, std::span(values));
    Network<T> network(
        layout, values, gradients,
        {.max_batch = samples, .dropout = dropout, .products = products, .group = group});
    network.values_changed();
    std::vector<std::uint64_t> indices(samples);
    for (std::size_t s = 0; s < samples; ++s) {
      indices[s] = 3 * s;
    }
    const DropoutKey key{1, 2, indices};
    const MatrixView<const T> input{X.data(), samples, layout.widths().front()};
    const MatrixView<T> A = network.forward(input, &key);
    logits.assign(A.data, A.data + A.size());
    const std::size_t first = layout.layers().back().columns.begin;
    for (std::size_t s = 0; s < samples; ++s) {
      for (std::size_t j = 0; j < A.cols; ++j) {
        A(s, j) = dA[s * layout.widths().back() + first + j];
      }
    }
    of_some = network.backward(input, T{1}, {}, [](const LayerGradients<T>&) {});
  }
};

/// Expects `mine` to be the elements of the whole that the layout says.
template <class T>
void expect_part(const ParameterLayout& layout, const std::vector<T>& mine,
                 const ParameterLayout& whole_layout, const std::vector<T>& whole,
                 double tolerance) {
  double worst = 0;
  for (std::size_t n = 0; n < layout.layers().size(); ++n) {
    const LayerLayout& layer = layout.layers()[n];
    const LayerLayout& all = whole_layout.layers()[n];
    const auto compare = [&](std::size_t i, std::size_t k) {
      worst =
          std::max(worst, std::abs(static_cast<double>(mine[i]) - static_cast<double>(whole[k])));
    };
    for (std::size_t j = 0; j < layer.outputs; ++j) {
      compare(layer.bias.begin + j, all.bias.begin + layer.columns.begin + j);
      for (std::size_t i = 0; i < layer.inputs; ++i) {
        compare(layer.weights.begin + i * layer.outputs + j,
                all.weights.begin + (layer.rows.begin + i) * all.outputs + layer.columns.begin + j);
      }
    }
  }
  EXPECT_LE(worst, tolerance);
}

/// Expects a bound of the split layers' gradients that is the same on all ranks: of use where the
/// first layer is whole.
template <class T>
void expect_bound(const Passed<T>& split) {
  const std::vector<LayerLayout>& layers = split.layout.layers();
  EXPECT_EQ(std::isfinite(split.of_some), layers.front().split == LayerSplit::whole);
  for (const LayerLayout& layer : layers) {
    for (std::size_t i = layer.weights.begin;
         layer.split != LayerSplit::whole && i < layer.bias.end; ++i) {
      EXPECT_LE(std::abs(split.gradients[i]), split.of_some);
    }
  }
  EXPECT_EQ(world().all_reduce(static_cast<double>(split.of_some), Reduction::max), split.of_some);
}

template <class T>
void expect_whole(const std::vector<std::size_t>& widths, double dropout, double tolerance,
                  ProductKind products = ProductKind::full) {
  const auto X = test::numbers<T>(samples * widths.front(), 1);
  const auto dA = test::numbers<T>(samples * widths.back(), 2);
  ModelGroupSums<T> group(world());
  const auto splits = SplitRule{.least_nodes = 1}.splits(widths, parts());
  const Passed<T> split(ParameterLayout(widths, splits, parts(), part()),
                        parts() > 1 ? &group : nullptr, X, dA, dropout, products);
  const Passed<T> whole(ParameterLayout(widths), nullptr, X, dA, dropout, products);
  expect_part(split.layout, split.values, whole.layout, whole.values, 0);
  expect_part(split.layout, split.gradients, whole.layout, whole.gradients, tolerance);
  expect_bound(split);
  const Range columns = split.layout.layers().back().columns;
  for (std::size_t s = 0; s < samples; ++s) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      EXPECT_NEAR(split.logits[s * columns.size() + j],
                  whole.logits[s * widths.back() + columns.begin + j], tolerance);
    }
  }
  // What every rank has is the same on all of them, to the last bit.
  for (const Range range : split.layout.common_ranges()) {
    std::vector<T> least(split.gradients.begin() + static_cast<std::ptrdiff_t>(range.begin),
                         split.gradients.begin() + static_cast<std::ptrdiff_t>(range.end));
    std::vector<T> most = least;
    world().all_reduce(std::span(least), Reduction::min);
    world().all_reduce(std::span(most), Reduction::max);
    EXPECT_EQ(least, most);
  }
}

TEST(SplitNetwork, IsTheWholeOneInDouble) {
  for (const std::vector<std::size_t>& widths : {std::vector<std::size_t>{7, 3},
                                                 {7, 40, 1000},
                                                 {7, 130, 19, 11},
                                                 {5, 64, 33, 48, 10},
                                                 {1, 1, 1, 1},
                                                 {6, 200, 30, 170, 20, 31}}) {
    for (const double dropout : {0.0, 0.4}) {
      expect_whole<double>(widths, dropout, 1e-13);
    }
  }
}

TEST(SplitNetwork, IsTheWholeOneInFloat) {
  expect_whole<float>({6, 200, 30, 170, 20, 31}, 0.3, 2e-5);
}

TEST(SplitNetwork, IsTheWholeOneInBf16) {
  if (!has_bf16_unit()) {
    GTEST_SKIP() << test::no_bf16_unit;
  }
  // Operands are rounded alike; the sums of a pair before they are rounded.
  expect_whole<float>({64, 40, 100}, 0.3, 1e-5, ProductKind::bf16);
  expect_whole<float>({64, 256, 64, 3}, 0.3, 2e-2, ProductKind::bf16);
}

TEST(SplitNetwork, LayoutsOfAllPartsAreAlike) {
  const std::vector<std::size_t> widths = {5, 100, 33, 7};
  const auto splits = SplitRule{.least_nodes = 1}.splits(widths, parts());
  const ParameterLayout layout(widths, splits, parts(), part());
  const ParameterLayout first(widths, splits, parts(), 0);
  EXPECT_EQ(layout.size(), first.size());
  for (std::size_t n = 0; n < splits.size(); ++n) {
    EXPECT_EQ(layout.layers()[n].weights.begin, first.layers()[n].weights.begin);
    EXPECT_EQ(layout.layers()[n].bias.begin, first.layers()[n].bias.begin);
  }
  std::uint64_t own = layout.parameter_count();
  std::uint64_t common = 0;
  for (const Range range : layout.common_ranges()) {
    common += range.size();
  }
  own -= part() == 0 ? 0 : common;
  EXPECT_EQ(world().all_reduce(own, Reduction::sum), ParameterLayout(widths).parameter_count());
}

TEST(SplitRule, SplitsPairsThatAreWide) {
  using enum LayerSplit;
  const SplitRule rule{.least_nodes = 100};
  EXPECT_EQ(rule.splits({9, 5}, 2), (std::vector{columns}));
  EXPECT_EQ(rule.splits({9, 200, 5}, 2), (std::vector{whole, columns}));
  EXPECT_EQ(rule.splits({9, 200, 1, 5}, 2), (std::vector{columns, rows, columns}));
  EXPECT_EQ(rule.splits({9, 199, 200, 3, 5}, 2), (std::vector{whole, columns, rows, columns}));
  EXPECT_EQ(rule.splits({9, 200, 200, 200, 5}, 2), (std::vector{columns, rows, whole, columns}));
  EXPECT_EQ(rule.splits({9, 200, 200, 5}, 1), (std::vector{whole, whole, whole}));
  EXPECT_NE(rule.describe().find("100"), std::string::npos);
}

}  // namespace
}  // namespace dnn
