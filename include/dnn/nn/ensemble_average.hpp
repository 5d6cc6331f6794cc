#pragma once

#include <span>

#include "dnn/core/task.hpp"

namespace dnn {

/// Which outputs of an ensemble are averaged: their logits (softmax then gives the normalized
/// geometric mean of their probabilities), or their probabilities. Numbers are their own mean
/// either way.
enum class EnsembleAverage { logits, probabilities };

/// The un-normalized vector of an ensemble for one sample: `models` holds the logits of each of its
/// K models (M_N each), and `a` (M_N) becomes the vector whose softmax, or sigmoids where the task
/// is labels, or which itself where it is numbers, is the ensemble's output:
///
/// - logits, and numbers: a_j = (1/K) Σ_k a_kj. Each term is scaled by a power of two before it is
///   added, which is exact, so that no sum overflows that the mean would not.
/// - probabilities of classes: a_j = log (1/K) Σ_k y_kj, with log y_kj = a_kj - m_k - log s_k, the
///   scaled softmax of model k (m_k = max a_k, s_k = Σ exp(a_kj - m_k)), and the sum scaled by its
///   largest term: it is finite where every y_kj underflows.
/// - probabilities of labels: a_j = log (1/K) Σ_k y_kj - log (1/K) Σ_k (1 - y_kj), the logit of the
/// mean of the
///   sigmoids y_kj = 1 / (1 + exp(-a_kj)), with sums of the same kind.
///
/// One model's average is its own logits, bit for bit; equal logits of all models in two classes
/// give equal averages. -inf masks a class: from the mean of logits if any model masks it, from the
/// mean of probabilities if all do. Throws NumericalError for probabilities of logits that softmax
/// cannot take, or of labels that are not finite; a mean of such logits is one that softmax cannot
/// take.
template <class T>
void average(EnsembleAverage average, Task task, std::span<const std::span<const T>> models,
             std::span<T> a);

}  // namespace dnn
