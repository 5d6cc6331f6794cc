#include "dnn/nn/matrix_product.hpp"

#include <cblas.h>
#include <dnnl.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace dnn {

namespace {

struct Extents {
  std::size_t m, n, k;
};

void call_library(Transpose ta, const float* a, std::size_t lda, Transpose tb, const float* b,
                  std::size_t ldb, float beta, float* c, std::size_t ldc, Extents e) {
  const auto letter = [](Transpose t) { return t == Transpose::yes ? 'T' : 'N'; };
  const auto status =
      dnnl_sgemm(letter(ta), letter(tb), static_cast<dnnl_dim_t>(e.m), static_cast<dnnl_dim_t>(e.n),
                 static_cast<dnnl_dim_t>(e.k), 1.0F, a, static_cast<dnnl_dim_t>(lda), b,
                 static_cast<dnnl_dim_t>(ldb), beta, c, static_cast<dnnl_dim_t>(ldc));
  if (status != dnnl_success) {
    throw std::runtime_error("oneDNN's dnnl_sgemm failed with status " + std::to_string(status));
  }
}

void call_library(Transpose ta, const double* a, std::size_t lda, Transpose tb, const double* b,
                  std::size_t ldb, double beta, double* c, std::size_t ldc, Extents e) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (std::max({e.m, e.n, e.k, lda, ldb, ldc}) > most) {
    throw std::invalid_argument("multiply: an extent beyond the BLAS library's integers");
  }
  const auto flag = [](Transpose t) { return t == Transpose::yes ? CblasTrans : CblasNoTrans; };
  cblas_dgemm(CblasRowMajor, flag(ta), flag(tb), static_cast<int>(e.m), static_cast<int>(e.n),
              static_cast<int>(e.k), 1.0, a, static_cast<int>(lda), b, static_cast<int>(ldb), beta,
              c, static_cast<int>(ldc));
}

}  // namespace

template <class T>
void multiply(Transpose transpose_a, MatrixView<const T> a, Transpose transpose_b,
              MatrixView<const T> b, T beta, MatrixView<T> c) {
  const bool ta = transpose_a == Transpose::yes;
  const bool tb = transpose_b == Transpose::yes;
  const Extents e{ta ? a.cols : a.rows, tb ? b.rows : b.cols, ta ? a.rows : a.cols};
  if ((tb ? b.cols : b.rows) != e.k || c.rows != e.m || c.cols != e.n) {
    throw std::invalid_argument("multiply: the matrices' extents do not fit");
  }
  if (c.size() == 0) {
    return;
  }
  if (e.k == 0) {
    std::for_each_n(c.data, c.size(), [beta](T& x) { x = beta == T{0} ? T{0} : beta * x; });
    return;
  }
  call_library(transpose_a, a.data, a.cols, transpose_b, b.data, b.cols, beta, c.data, c.cols, e);
}

template void multiply(Transpose, MatrixView<const float>, Transpose, MatrixView<const float>,
                       float, MatrixView<float>);
template void multiply(Transpose, MatrixView<const double>, Transpose, MatrixView<const double>,
                       double, MatrixView<double>);

}  // namespace dnn
