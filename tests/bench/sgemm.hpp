#pragma once

#include <cblas.h>
#include <dnnl.h>

#include <cstddef>

#include "dnn/core/matrix.hpp"
#include "dnn/products/packing.hpp"

namespace dnn::bench {

/// c = op(a) op(b) by another library, to compare with: where `transposed`, op transposes.
struct Sgemm {
  Transpose transpose_a, transpose_b;
  MatrixView<const float> a, b;
  MatrixView<float> c;

  void by_onednn() const {
    const auto extent = [](std::size_t n) { return static_cast<dnnl_dim_t>(n); };
    const auto letter = [](Transpose t) { return t == Transpose::yes ? 'T' : 'N'; };
    (void)dnnl_sgemm(letter(transpose_a), letter(transpose_b), extent(c.rows), extent(c.cols),
                     extent(terms()), 1.0F, a.data, extent(a.cols), b.data, extent(b.cols), 0.0F,
                     c.data, extent(c.cols));
  }

  void by_openblas() const {
    const auto extent = [](std::size_t n) { return static_cast<int>(n); };
    const auto flag = [](Transpose t) { return t == Transpose::yes ? CblasTrans : CblasNoTrans; };
    cblas_sgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b), extent(c.rows), extent(c.cols),
                extent(terms()), 1.0F, a.data, extent(a.cols), b.data, extent(b.cols), 0.0F, c.data,
                extent(c.cols));
  }

 private:
  [[nodiscard]] std::size_t terms() const {
    return transpose_a == Transpose::yes ? a.rows : a.cols;
  }
};

}  // namespace dnn::bench
