#include "dnn/products/dense_products.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/sum_tree.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

/// Terms of a sum that are taken at a time: a panel of so many rows of b fits the first cache.
constexpr std::size_t slab = 256;
/// Panels of b that are packed at a time, so that rows of several lines are read at once.
constexpr std::size_t most_panels = 8;
/// The same of tiles of X, which are narrower than a line.
constexpr std::size_t most_tiles = 8;
/// Elements that are packed at a time where all terms are: they fit the second cache.
constexpr std::size_t packed_elements = std::size_t{1} << 18;
/// Samples whose X is read where it lies.
constexpr std::size_t most_in_place = 64;
/// Terms of a tile of dW in whose time its lines can be fetched. With fewer, the lines (which a
/// neighbour on the node may have read last) hold up those of the operands.
constexpr std::size_t least_terms_for_prefetch = 48;
/// Multiplications that make a thread of its own worth while.
constexpr std::size_t product_grain = std::size_t{1} << 19;
/// Rows of dX that are transposed together: a line of each of their columns.
constexpr std::size_t transposed_rows = 16;
/// Rows of dW that are looked at together.
constexpr std::size_t looked_at = 64;

std::size_t ceil_of(std::size_t count, std::size_t unit) {
  return (count + unit - 1) / unit;
}

template <class T>
T* grown(AlignedBuffer<T>& buffer, std::size_t elements) {
  if (buffer.size() < elements) {
    buffer = AlignedBuffer<T>(elements);
  }
  return buffer.data();
}

}  // namespace

template <class T>
template <class Work>
void DenseProducts<T>::in_parts(std::size_t rows, std::size_t columns, std::size_t terms,
                                Work&& work) {
  const std::size_t tiles = ceil_of(rows, kernel_.rows);
  const std::size_t across = vectors(columns);
  if (tiles == 0 || across == 0) {
    return;
  }
  const std::size_t most =
      std::min(static_cast<std::size_t>(threads()), 1 + rows * columns * terms / product_grain);
  const auto beside = [&](std::size_t down) { return std::min(most / down, across); };
  const auto longest = [&](std::size_t down) {
    return ceil_of(tiles, down) * ceil_of(across, beside(down));
  };
  std::size_t down = 1;
  for (std::size_t d = 2; d <= std::min(most, tiles); ++d) {
    if (longest(d) < longest(down)) {
      down = d;
    }
  }
  const std::size_t parts = down * beside(down);
  if (lanes_.size() < parts) {
    lanes_.resize(parts);
  }
  parallel_tasks(parts, [&](std::size_t i, std::size_t lane) {
    const Range r = part_of(tiles, down, i % down);
    const Range c = part_of(across, parts / down, i / down);
    work({r.begin * kernel_.rows, std::min(r.end * kernel_.rows, rows)},
         {c.begin * kernel_.vector, std::min(c.end * kernel_.vector, columns)}, lanes_[lane]);
  });
}

template <class T>
std::size_t DenseProducts<T>::vectors(std::size_t columns) const {
  return ceil_of(columns, kernel_.vector);
}

template <class T>
auto DenseProducts<T>::cut(std::size_t columns, Lane& lane) const -> std::span<const Panel> {
  lane.panels.clear();
  const std::size_t count = ceil_of(vectors(columns), kernel_.vectors);
  for (std::size_t i = 0; i < count; ++i) {
    const Range own = part_of(vectors(columns), count, i);
    lane.panels.push_back(
        {{own.begin * kernel_.vector, std::min(own.end * kernel_.vector, columns)},
         own.size(),
         own.size() * kernel_.vector});
  }
  return lane.panels;
}

template <class T>
void DenseProducts<T>::forward(MatrixView<const T> X, MatrixView<const T> W, MatrixView<T> A,
                               const Epilogue& epilogue) {
  in_parts(A.rows, A.cols, W.rows, [&](Range rows, Range columns, Lane& lane) {
    multiply({X.data + rows.begin * X.cols,
              X.cols,
              {W.data + columns.begin, W.cols},
              W.rows,
              A.data + rows.begin * A.cols + columns.begin,
              A.cols,
              false,
              epilogue,
              rows.begin,
              columns.begin},
             rows.size(), columns.size(), lane);
  });
}

template <class T>
void DenseProducts<T>::backward_input(MatrixView<const T> dA, MatrixView<const T> W, Range columns,
                                      MatrixView<T> dX, const Epilogue& epilogue) {
  // Either W is transposed, or dA and the result.
  if (W.rows * columns.size() < dA.rows * (W.rows + columns.size())) {
    in_parts(dX.rows, dX.cols, columns.size(), [&](Range rows, Range inputs, Lane& lane) {
      multiply({dA.data + rows.begin * dA.cols + columns.begin,
                dA.cols,
                {W.data + inputs.begin * W.cols + columns.begin, W.cols, Transpose::yes},
                columns.size(),
                dX.data + rows.begin * dX.cols + inputs.begin,
                dX.cols,
                false,
                epilogue,
                rows.begin,
                inputs.begin},
               rows.size(), inputs.size(), lane);
    });
    return;
  }
  const Epilogue none;
  in_parts(dX.cols, dX.rows, columns.size(), [&](Range inputs, Range rows, Lane& lane) {
    const std::size_t row = vectors(rows.size()) * kernel_.vector;
    T* sums = grown(lane.sums, inputs.size() * row);
    multiply({W.data + inputs.begin * W.cols + columns.begin,
              W.cols,
              {dA.data + rows.begin * dA.cols + columns.begin, dA.cols, Transpose::yes},
              columns.size(),
              sums,
              row,
              true,
              none},
             inputs.size(), rows.size(), lane);
    for (std::size_t first = 0; first < rows.size(); first += transposed_rows) {
      const Range some{rows.begin + first,
                       std::min(rows.begin + first + transposed_rows, rows.end)};
      transpose(sums + first, row, dX.data + some.begin * dX.cols + inputs.begin, dX.cols,
                some.size(), inputs.size());
      if (epilogue) {
        epilogue(some, inputs);
      }
    }
  });
}

template <class T>
void DenseProducts<T>::multiply(const Pieces& pieces, std::size_t rows, std::size_t columns,
                                Lane& lane) const {
  const std::span<const Panel> all = cut(columns, lane);
  const std::size_t panel_step = slab * kernel_.columns();
  T* packed = grown(lane.b, std::min(all.size(), most_panels) * panel_step);
  const std::size_t slabs = std::max<std::size_t>(1, ceil_of(pieces.terms, slab));
  for (std::size_t n = 0; n < slabs; ++n) {
    const Range terms = part_of(pieces.terms, slabs, n);
    const TreeLeaf leaf{terms.size(), 0};
    for (std::size_t first = 0; first < all.size(); first += most_panels) {
      const auto some = all.subspan(first, std::min(most_panels, all.size() - first));
      for (std::size_t row = 0; row < rows; row += kernel_.rows) {
        T* own = packed;
        const T* const next_row =
            row + 2 * kernel_.rows <= rows
                ? pieces.c + (row + kernel_.rows) * pieces.c_row + some.front().columns.begin
                : nullptr;
        for (const Panel& panel : some) {
          TileSum<T> tile{.a = pieces.a + row * pieces.a_row + terms.begin,
                          .a_row = pieces.a_row,
                          .a_step = 1,
                          .b = own,
                          .b_step = panel.width,
                          .leaves = {&leaf, 1},
                          .to = pieces.c + row * pieces.c_row + panel.columns.begin,
                          .to_row = pieces.c_row,
                          .ahead_row = pieces.c_row};
          tile.before = n > 0 ? tile.to : nullptr;
          tile.ahead = &panel != &some.back() ? tile.to + panel.width : next_row;
          if (row == 0 && pieces.b.transposed == Transpose::no &&
              panel.columns.size() == panel.width) {
            tile.b = pieces.b.data + terms.begin * pieces.b.row + panel.columns.begin;
            tile.b_step = pieces.b.row;
            tile.copy = rows > kernel_.rows ? own : nullptr;
          } else if (row == 0) {
            pack_panel(pieces.b, terms, panel.columns, panel.width, own);
          }
          run_tile(tile, std::min(kernel_.rows, rows - row), panel, pieces.whole_vectors, lane);
          own += panel_step;
        }
        if (n + 1 == slabs && pieces.epilogue) {
          pieces.epilogue({pieces.row + row, pieces.row + std::min(row + kernel_.rows, rows)},
                          {pieces.column + some.front().columns.begin,
                           pieces.column + some.back().columns.end});
        }
      }
    }
  }
}

/// Where there is no room for whole vectors, the tile takes a way round.
template <class T>
void DenseProducts<T>::run_tile(const TileSum<T>& sum, std::size_t rows, const Panel& panel,
                                bool whole_vectors, Lane& lane) const {
  if (whole_vectors || panel.columns.size() == panel.width) {
    kernel_(rows, panel.vectors, sum);
    return;
  }
  TileSum<T> aside = sum;
  aside.to = grown(lane.tile, kernel_.rows * kernel_.columns());
  aside.to_row = kernel_.columns();
  if (sum.before != nullptr) {
    for (std::size_t i = 0; i < rows; ++i) {
      std::copy_n(sum.before + i * sum.to_row, panel.columns.size(), aside.to + i * aside.to_row);
    }
    aside.before = aside.to;
  }
  kernel_(rows, panel.vectors, aside);
  for (std::size_t i = 0; i < rows; ++i) {
    std::copy_n(aside.to + i * aside.to_row, panel.columns.size(), sum.to + i * sum.to_row);
  }
}

template <class T>
void DenseProducts<T>::backward_parameters(MatrixView<const T> X, MatrixView<const T> dA,
                                           std::span<const Range> shards,
                                           std::span<const ShardSum<T>> sums) {
  for (const ShardSum<T>& sum : sums) {
    leaves_.clear();
    for (std::size_t i = 0; i < sum.shards.size(); ++i) {
      leaves_.push_back(
          {shards[sum.shards.begin + i].size(), additions_after(i, sum.shards.size())});
    }
    const Range samples{shards[sum.shards.begin].begin, shards[sum.shards.end - 1].end};
    // A layer without inputs still has a dB.
    const std::size_t rows = std::max<std::size_t>(X.cols, 1);
    in_parts(rows, dA.cols, samples.size(), [&](Range inputs, Range outputs, Lane& lane) {
      sum_shards(X, dA, samples, leaves_, sum, intersect(inputs, {0, X.cols}), outputs, lane);
    });
  }
}

template <class T>
void DenseProducts<T>::sum_shards(MatrixView<const T> X, MatrixView<const T> dA, Range samples,
                                  std::span<const TreeLeaf> leaves, const ShardSum<T>& sum,
                                  Range inputs, Range outputs, Lane& lane) const {
  const std::size_t panel_step = samples.size() * kernel_.columns();
  const std::span<const Panel> all = cut(outputs.size(), lane);
  const std::size_t group =
      std::clamp<std::size_t>(packed_elements / (panel_step + 1), 1, all.size());
  const std::size_t at_a_time =
      kernel_.rows * std::clamp<std::size_t>(
                         packed_elements / (4 * kernel_.rows * samples.size() + 1), 1, most_tiles);
  // A few lines of X stay in the first cache, unless their distance leaves them few of its sets.
  const bool in_place = samples.size() <= most_in_place && X.cols * sizeof(T) % 1024 != 0;
  T* const x = in_place ? nullptr : grown(lane.a, samples.size() * at_a_time);
  T* const da = grown(lane.b, group * panel_step);
  const RightOperand<T> b{dA.data + samples.begin * dA.cols + outputs.begin, dA.cols};
  T* const stack = grown(lane.stack, static_cast<std::size_t>(std::bit_width(leaves.size())) *
                                         kernel_.rows * kernel_.columns());
  const T one{1};
  for (std::size_t first = 0; first < all.size(); first += group) {
    const auto some = all.subspan(first, std::min(group, all.size() - first));
    for (std::size_t i = 0; i < some.size(); ++i) {
      pack_panel(b, {0, samples.size()}, some[i].columns, some[i].width, da + i * panel_step);
    }
    const auto sum_panels = [&](TileSum<T> tile, std::size_t rows, T* to, std::size_t to_row) {
      tile.b = da;
      tile.leaves = leaves;
      tile.stack = stack;
      tile.to_row = to_row;
      tile.ahead_row = to_row;
      for (const Panel& panel : some) {
        tile.b_step = panel.width;
        tile.to = to + outputs.begin + panel.columns.begin;
        tile.ahead = samples.size() >= least_terms_for_prefetch ? tile.to : nullptr;
        run_tile(tile, rows, panel, false, lane);
        tile.b += panel_step;
      }
    };
    for (std::size_t i = inputs.begin; i < inputs.end; i += at_a_time) {
      const Range some_inputs{i, std::min(i + at_a_time, inputs.end)};
      if (!in_place) {
        pack_tiles(X.part(samples), some_inputs, kernel_.rows, x);
      }
      for (std::size_t row = i; row < some_inputs.end; row += kernel_.rows) {
        sum_panels(
            {.a = in_place ? X.data + samples.begin * X.cols + row : x + (row - i) * samples.size(),
             .a_row = 1,
             .a_step = in_place ? X.cols : kernel_.rows},
            std::min(kernel_.rows, some_inputs.end - row), sum.dW.row(row).data(), sum.dW.cols);
      }
    }
    if (inputs.begin == 0) {
      sum_panels({.a = &one, .a_row = 0, .a_step = 0}, 1, sum.dB.data(), 0);
    }
  }
}

template <class T>
T DenseProducts<T>::largest_gradient(MatrixView<const T> X, MatrixView<const T> dA,
                                     std::span<const Range> shards) {
  if (dA.cols == 0) {
    return T{0};
  }
  if (lanes_.empty()) {
    lanes_.resize(1);
  }
  std::vector<T> gradients((std::min(X.cols, looked_at) + 1) * dA.cols);
  T largest{0};
  for (const Range& shard : shards) {
    for (std::size_t first = 0; (first == 0 || first < X.cols) && !std::isnan(largest);
         first += looked_at) {
      const std::size_t rows = std::min(looked_at, X.cols - first);
      const std::span<T> all = std::span(gradients).first((rows + 1) * dA.cols);
      const TreeLeaf leaf{shard.size(), 0};
      const ShardSum<T> sum{{}, {all.data() + dA.cols, rows, dA.cols}, all.first(dA.cols)};
      sum_shards({X.data + first, X.rows, X.cols}, dA, shard, {&leaf, 1}, sum, {0, rows},
                 {0, dA.cols}, lanes_.front());
      const T found = largest_magnitude(std::span<const T>(all));
      largest = std::max(found, largest);  // which returns a NaN that comes first
    }
  }
  return largest;
}

template class DenseProducts<float>;
template class DenseProducts<double>;

}  // namespace dnn
