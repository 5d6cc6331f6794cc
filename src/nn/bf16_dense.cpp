#include "dnn/nn/bf16_dense.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace dnn {

namespace {

Bf16Layout choose_layout(std::size_t m, std::size_t n, std::size_t k) {
  return Bf16Product::prefers_panels(m, n, k) ? Bf16Layout::panels : Bf16Layout::rows;
}

}  // namespace

Bf16Dense::Bf16Dense(std::size_t inputs, std::size_t outputs, std::size_t max_batch,
                     Backward backward)
    : inputs_(inputs),
      outputs_(outputs),
      max_batch_(max_batch),
      backward_(backward),
      W_(choose_layout(max_batch, outputs, inputs), inputs, outputs,
         backward == Backward::parameters_and_input),
      X_(max_batch * inputs) {
  if (backward != Backward::none) {
    X_columns_ = AlignedBuffer<Bf16>(max_batch * inputs);
    dA_ = RightOperand(choose_layout(inputs, outputs, max_batch), max_batch, outputs,
                       backward == Backward::parameters_and_input);
  }
  products(max_batch);
}

Bf16Dense::RightOperand::RightOperand(Bf16Layout chosen, std::size_t max_rows, std::size_t cols,
                                      bool also_by_rows)
    : layout(chosen) {
  if (layout == Bf16Layout::panels) {
    panels = AlignedBuffer<Bf16>(panels_size(max_rows, cols));
  }
  if (layout == Bf16Layout::rows || also_by_rows) {
    rows = AlignedBuffer<Bf16>(max_rows * cols);
  }
}

void Bf16Dense::RightOperand::round(MatrixView<const float> from) {
  if (layout == Bf16Layout::panels) {
    to_panels(from, panels.data(), rows.data());
  } else {
    to_bf16({from.data, from.size()}, rows.span().first(from.size()));
  }
}

const Bf16* Bf16Dense::RightOperand::data() const {
  return layout == Bf16Layout::panels ? panels.data() : rows.data();
}

void Bf16Dense::set_weights(MatrixView<const float> W) {
  check(W.rows == inputs_ && W.cols == outputs_, "W");
  W_.round(W);
}

void Bf16Dense::forward(MatrixView<const float> X, MatrixView<float> A) {
  check(X.rows <= max_batch_ && X.cols == inputs_, "X");
  check(A.rows == X.rows && A.cols == outputs_, "A");
  samples_ = X.rows;
  to_bf16({X.data, X.size()}, X_.span().first(X.size()));
  products(samples_).forward.run(X_.data(), W_.data(), A.data);
}

void Bf16Dense::backward_parameters(MatrixView<const float> dA, MatrixView<float> dW) {
  check(dA.rows == samples_ && dA.cols == outputs_ && backward_ != Backward::none, "dA");
  check(dW.rows == inputs_ && dW.cols == outputs_, "dW");
  dA_.round(dA);
  to_columns({X_.data(), samples_, inputs_}, X_columns_.data());
  products(samples_).parameters->run(X_columns_.data(), dA_.data(), dW.data);
}

void Bf16Dense::backward_input(MatrixView<float> dX) {
  check(dX.rows == samples_ && dX.cols == inputs_ && backward_ == Backward::parameters_and_input,
        "dX");
  products(samples_).input->run(dA_.rows.data(), W_.rows.data(), dX.data);
}

Bf16Dense::Products& Bf16Dense::products(std::size_t samples) {
  if (const auto found = products_.find(samples); found != products_.end()) {
    return found->second;
  }
  Products made{Bf16Product(W_.layout, samples, outputs_, inputs_), {}, {}};
  if (backward_ != Backward::none) {
    made.parameters.emplace(dA_.layout, inputs_, outputs_, samples);
  }
  if (backward_ == Backward::parameters_and_input) {
    made.input.emplace(Bf16Layout::columns, samples, inputs_, outputs_);
  }
  return products_.emplace(samples, std::move(made)).first->second;
}

void Bf16Dense::check(bool fits, const char* what) const {
  if (!fits) {
    throw std::invalid_argument("Bf16Dense of " + std::to_string(inputs_) + " x " +
                                std::to_string(outputs_) + ": " + what + " does not fit");
  }
}

}  // namespace dnn
