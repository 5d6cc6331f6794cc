#include "dnn/products/bf16_products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "dnn/core/add.hpp"
#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

Bf16Layout choose_layout(std::size_t m, std::size_t n, std::size_t k) {
  return Bf16Product::prefers_panels(m, n, k) ? Bf16Layout::panels : Bf16Layout::rows;
}

/// dB = Σ dA over all samples.
void sum_rows(MatrixView<const float> dA, std::span<float> dB) {
  parallel_for_rows(dA.cols, dA.rows, [&](Range columns) {
    float* sum = dB.data() + columns.begin;
    std::fill_n(sum, columns.size(), 0.0F);
    for (std::size_t s = 0; s < dA.rows; ++s) {
      add(dA.row(s).data() + columns.begin, sum, columns.size());
    }
  });
}

void finish(MatrixView<float> result, const Epilogue& epilogue) {
  if (epilogue) {
    parallel_for_rows(result.rows, result.cols, [&](Range rows) {
      epilogue(rows, {0, result.cols});
    });
  }
}

}  // namespace

Bf16Products::Bf16Products(MatrixView<const float> W, std::size_t max_batch, Backward backward)
    : W_(W),
      max_batch_(max_batch),
      backward_(backward),
      rounded_W_(choose_layout(max_batch, W.cols, W.rows), W.rows, W.cols,
                 backward == Backward::parameters_and_input),
      X_(max_batch * W.rows) {
  if (backward != Backward::none) {
    X_columns_ = AlignedBuffer<Bf16>(max_batch * W.rows);
    rounded_dA_ = RightOperand(choose_layout(W.rows, W.cols, max_batch), max_batch, W.cols,
                               backward == Backward::parameters_and_input);
  }
  products_of(max_batch);
}

Bf16Products::RightOperand::RightOperand(Bf16Layout chosen, std::size_t max_rows, std::size_t cols,
                                         bool also_by_rows)
    : layout(chosen) {
  if (layout == Bf16Layout::panels) {
    panels = AlignedBuffer<Bf16>(panels_size(max_rows, cols));
  }
  if (layout == Bf16Layout::rows || also_by_rows) {
    rows = AlignedBuffer<Bf16>(max_rows * cols);
  }
}

void Bf16Products::RightOperand::round(MatrixView<const float> from) {
  if (layout == Bf16Layout::panels) {
    to_panels(from, panels.data(), rows.data());
  } else {
    to_bf16({from.data, from.size()}, rows.span().first(from.size()));
  }
}

const Bf16* Bf16Products::RightOperand::data() const {
  return layout == Bf16Layout::panels ? panels.data() : rows.data();
}

void Bf16Products::values_changed() {
  rounded_W_.round(W_);
}

void Bf16Products::forward(const InputRows<float>& input, MatrixView<float> A,
                           const Epilogue& epilogue) {
  const MatrixView<const float> X = input.dense();
  check(X.rows <= max_batch_ && X.cols == W_.rows, "X");
  check(A.rows == X.rows && A.cols == W_.cols, "A");
  samples_ = X.rows;
  to_bf16({X.data, X.size()}, X_.span().first(X.size()));
  products_of(samples_).forward.run(X_.data(), rounded_W_.data(), A.data);
  finish(A, epilogue);
}

void Bf16Products::begin_backward(const InputRows<float>& /*X*/, MatrixView<const float> dA,
                                  std::span<const Range> shards) {
  check(dA.rows == samples_ && dA.cols == W_.cols && backward_ != Backward::none, "dA");
  check(shards.size() == 1, "a batch of several shards");
  dA_ = dA;
  rounded_dA_.round(dA);
}

void Bf16Products::backward_parameters(std::span<const ShardSum<float>> sums) {
  check(sums.size() == 1, "a sum of several shards");
  const MatrixView<float> dW = sums.front().dW;
  check(dW.rows == W_.rows && dW.cols == W_.cols, "dW");
  to_columns({X_.data(), samples_, W_.rows}, X_columns_.data());
  products_of(samples_).parameters->run(X_columns_.data(), rounded_dA_.data(), dW.data);
  sum_rows(dA_, sums.front().dB);
}

void Bf16Products::backward_input(MatrixView<float> dX, const Epilogue& epilogue) {
  check(dX.rows == samples_ && dX.cols == W_.rows && backward_ == Backward::parameters_and_input,
        "dX");
  products_of(samples_).input->run(rounded_dA_.rows.data(), rounded_W_.rows.data(), dX.data);
  finish(dX, epilogue);
}

float Bf16Products::largest_gradient(std::span<const ShardSum<float>> sums) {
  const ShardSum<float>& sum = sums.front();
  const float of_bias = largest_magnitude(std::span<const float>(sum.dB));
  // A NaN that comes first is returned.
  return std::max(of_bias, largest_magnitude(std::span<const float>(sum.dW.data, sum.dW.size())));
}

Bf16Products::Products& Bf16Products::products_of(std::size_t samples) {
  if (const auto found = products_.find(samples); found != products_.end()) {
    return found->second;
  }
  Products made{Bf16Product(rounded_W_.layout, samples, W_.cols, W_.rows), {}, {}};
  if (backward_ != Backward::none) {
    made.parameters.emplace(rounded_dA_.layout, W_.rows, W_.cols, samples);
  }
  if (backward_ == Backward::parameters_and_input) {
    made.input.emplace(Bf16Layout::columns, samples, W_.rows, W_.cols);
  }
  if (products_.size() >= most_sizes) {
    std::erase_if(products_, [this](const auto& entry) { return entry.first != max_batch_; });
  }
  return products_.emplace(samples, std::move(made)).first->second;
}

void Bf16Products::check(bool fits, const char* what) const {
  if (!fits) {
    throw std::invalid_argument(
        fmt::format("Bf16Products of {} x {}: {} does not fit", W_.rows, W_.cols, what));
  }
}

}  // namespace dnn
