#include "dnn/optim/sgd.hpp"

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

template <class T>
DNN_SIMD_BODY void sgd_loop(T* __restrict w, const T* __restrict g, std::size_t count, T eta,
                            T scale, T decay) {
  for (std::size_t i = 0; i < count; ++i) {
    w[i] -= eta * (g[i] * scale + decay * w[i]);
  }
}
DNN_SIMD void sgd(float* w, const float* g, std::size_t count, float eta, float scale,
                  float decay) {
  sgd_loop(w, g, count, eta, scale, decay);
}
DNN_SIMD void sgd(double* w, const double* g, std::size_t count, double eta, double scale,
                  double decay) {
  sgd_loop(w, g, count, eta, scale, decay);
}

}  // namespace

template <class T>
Sgd<T>::Sgd(const OptimizerSettings& settings, Range own, const std::vector<Range>& decayed)
    : Optimizer<T>(own, decayed, settings, 0) {}

template <class T>
void Sgd<T>::update(const typename Optimizer<T>::Piece& piece) {
  sgd(piece.values, piece.gradients, piece.count, piece.learning_rate, piece.scale, piece.decay);
}

template class Sgd<float>;
template class Sgd<double>;

}  // namespace dnn
