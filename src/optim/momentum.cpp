#include "dnn/optim/momentum.hpp"

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

/// w moves by -η (ahead · v + behind · g'), where g' is the scaled and decayed gradient: (1, 0) is
/// momentum, (μ, 1) is Nesterov's.
template <class T>
struct MomentumFactors {
  T momentum, eta, scale, decay, ahead, behind;
};

template <class T>
DNN_SIMD_BODY void momentum_loop(T* __restrict w, const T* __restrict g, T* __restrict v,
                                 std::size_t count, const MomentumFactors<T> f) {
  for (std::size_t i = 0; i < count; ++i) {
    const T gradient = g[i] * f.scale + f.decay * w[i];
    v[i] = f.momentum * v[i] + gradient;
    w[i] -= f.eta * (f.ahead * v[i] + f.behind * gradient);
  }
}
DNN_SIMD void momentum_step(float* w, const float* g, float* v, std::size_t count,
                            MomentumFactors<float> f) {
  momentum_loop(w, g, v, count, f);
}
DNN_SIMD void momentum_step(double* w, const double* g, double* v, std::size_t count,
                            MomentumFactors<double> f) {
  momentum_loop(w, g, v, count, f);
}

}  // namespace

template <class T>
Momentum<T>::Momentum(const OptimizerSettings& settings, Range own,
                      const std::vector<Range>& decayed)
    : Optimizer<T>(own, decayed, settings, 1),
      momentum_(static_cast<T>(settings.momentum)),
      nesterov_(settings.kind == OptimizerKind::nesterov) {}

template <class T>
void Momentum<T>::update(const typename Optimizer<T>::Piece& piece) {
  const MomentumFactors<T> factors{
      momentum_,   piece.learning_rate,          piece.scale,
      piece.decay, nesterov_ ? momentum_ : T{1}, nesterov_ ? T{1} : T{0}};
  momentum_step(piece.values, piece.gradients, piece.state[0], piece.count, factors);
}

template class Momentum<float>;
template class Momentum<double>;

}  // namespace dnn
