#include "dnn/optim/adam.hpp"

#include <cmath>

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

template <class T>
struct AdamFactors {
  T beta1, beta2, epsilon, rate, root_scale, scale;
  T decay;   ///< λ in the gradient (adam), else 0
  T shrink;  ///< 1 - ηλ on the value (adamw), else 1
};

template <class T>
DNN_SIMD_BODY void adam_loop(T* __restrict w, const T* __restrict g, T* __restrict m,
                             T* __restrict v, std::size_t count, const AdamFactors<T> f) {
  for (std::size_t i = 0; i < count; ++i) {
    const T gradient = g[i] * f.scale + f.decay * w[i];
    m[i] = f.beta1 * m[i] + (T{1} - f.beta1) * gradient;
    v[i] = f.beta2 * v[i] + (T{1} - f.beta2) * gradient * gradient;
    w[i] = w[i] * f.shrink - f.rate * m[i] / (std::sqrt(v[i]) * f.root_scale + f.epsilon);
  }
}
DNN_SIMD void adam_step(float* w, const float* g, float* m, float* v, std::size_t count,
                        AdamFactors<float> f) {
  adam_loop(w, g, m, v, count, f);
}
DNN_SIMD void adam_step(double* w, const double* g, double* m, double* v, std::size_t count,
                        AdamFactors<double> f) {
  adam_loop(w, g, m, v, count, f);
}

}  // namespace

template <class T>
Adam<T>::Adam(const OptimizerSettings& settings, Range own, const std::vector<Range>& decayed)
    : Optimizer<T>(own, decayed, settings, 2), settings_(settings) {}

template <class T>
void Adam<T>::begin_step(std::uint64_t step_number, double learning_rate) {
  const auto t = static_cast<double>(step_number);
  corrected_rate_ = static_cast<T>(learning_rate / (1 - std::pow(settings_.beta1, t)));
  root_scale_ = static_cast<T>(1 / std::sqrt(1 - std::pow(settings_.beta2, t)));
}

template <class T>
void Adam<T>::update(const typename Optimizer<T>::Piece& piece) {
  const bool decoupled = settings_.kind == OptimizerKind::adamw;
  const AdamFactors<T> factors{static_cast<T>(settings_.beta1),
                               static_cast<T>(settings_.beta2),
                               static_cast<T>(settings_.epsilon),
                               corrected_rate_,
                               root_scale_,
                               piece.scale,
                               decoupled ? T{0} : piece.decay,
                               decoupled ? T{1} - piece.learning_rate * piece.decay : T{1}};
  adam_step(piece.values, piece.gradients, piece.state[0], piece.state[1], piece.count, factors);
}

template class Adam<float>;
template class Adam<double>;

}  // namespace dnn
