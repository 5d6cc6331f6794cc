#include "dnn/optim/optimizer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>

#include "dnn/core/bit_sum.hpp"
#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/optim/adam.hpp"
#include "dnn/optim/momentum.hpp"
#include "dnn/optim/sgd.hpp"

namespace dnn {

namespace {

constexpr std::size_t rows_ahead = 16;
constexpr double most_averaged = 1024;  // updates seen by an average, at least

/// Fetches the beginning of a row into the second cache; the rest of a long one the processor
/// foresees.
template <class T>
void prefetch(const T* row, std::size_t count) {
  constexpr std::size_t line = 64 / sizeof(T);
  constexpr std::size_t most = 1024 / sizeof(T);
  constexpr int second_cache = 2;
  for (std::size_t i = 0; i < std::min(count, most); i += line) {
    __builtin_prefetch(row + i, 0, second_cache);
  }
}

template <class T>
DNN_SIMD_BODY void average_loop(T* __restrict average, const T* __restrict w, std::size_t count,
                                T share) {
  for (std::size_t i = 0; i < count; ++i) {
    average[i] += share * (w[i] - average[i]);
  }
}
DNN_SIMD void move_average(float* average, const float* w, std::size_t count, float share) {
  average_loop(average, w, count, share);
}
DNN_SIMD void move_average(double* average, const double* w, std::size_t count, double share) {
  average_loop(average, w, count, share);
}

}  // namespace

template <class T>
Optimizer<T>::Optimizer(Range own, const std::vector<Range>& decayed,
                        const OptimizerSettings& settings, int buffers)
    : own_(own), weight_decay_(settings.weight_decay), average_updates_(settings.average_updates) {
  std::size_t next = own.begin;
  const auto add = [this, &next](std::size_t end, bool decay) {
    if (end > next) {
      segments_.push_back({{next, end}, decay});
      next = end;
    }
  };
  for (const Range& range : decayed) {
    const Range mine = intersect(own, range);
    if (!mine.empty()) {
      add(mine.begin, false);
      add(mine.end, true);
    }
  }
  add(own.end, false);
  for (int i = 0; i < buffers + (average_updates_ > 0 ? 1 : 0); ++i) {
    state_.emplace_back(own.size());
  }
}

/// Note [Rows ahead]
/// Rows that have a gradient lie anywhere in values and state, where the processor does not foresee
/// them. So each is fetched into the second cache some rows before its turn. Measured with 22,600
/// of 100,000 rows of 256 floats (AMD EPYC): Adam takes 5.7 ms instead of 8.0, plain descent 2.3
/// instead of 3.1.
template <class T>
void Optimizer<T>::step(std::span<T> values, std::span<const T> gradients,
                        const GradientPlaces& places, double learning_rate, double scale) {
  begin_step(++steps_, learning_rate);
  average_share_ = static_cast<T>(share_in_average());
  if (!sum_ && !places.has_all()) {
    accept(values);
  }
  std::atomic<BitSum> sum_before = 0;
  std::atomic<BitSum> sum_after = 0;
  for (const Segment& segment : segments_) {
    parallel_for(segment.range.size(), parallel_grain, [&](Range part) {
      const Range elements{segment.range.begin + part.begin, segment.range.begin + part.end};
      std::array<Piece, rows_ahead> waiting;
      std::size_t seen = 0;
      Sums sums;
      places.for_each_run(elements, [&](Range run, std::size_t place) {
        Piece& piece = waiting[seen % rows_ahead];
        if (seen >= rows_ahead) {
          update_and_sum(piece, sums);
        }
        piece = {values.data() + run.begin,
                 gradients.data() + place,
                 {},
                 run.size(),
                 static_cast<T>(learning_rate),
                 static_cast<T>(scale),
                 static_cast<T>(segment.decayed ? weight_decay_ : 0)};
        prefetch(piece.values, run.size());
        for (std::size_t i = 0; i < state_.size(); ++i) {
          piece.state[i] = state_[i].data() + (run.begin - own_.begin);
          prefetch(piece.state[i], run.size());
        }
        ++seen;
      });
      for (std::size_t i = seen - std::min(seen, rows_ahead); i < seen; ++i) {
        update_and_sum(waiting[i % rows_ahead], sums);
      }
      sum_before += sums.before;
      sum_after += sums.after;
    });
  }
  if (places.has_all()) {
    damaged_ = damaged_ || (sum_ && *sum_ != sum_before);
    sum_ = sum_after;
  } else {
    *sum_ += sum_after - sum_before;
  }
}

template <class T>
double Optimizer<T>::share_in_average() const {
  const double remembered = std::min(average_updates_, static_cast<double>(steps_ - 1));
  const auto every =
      std::bit_floor(static_cast<std::uint64_t>(std::max(remembered / most_averaged, 1.0)));
  if (average_updates_ == 0 || steps_ % every != 0) {
    return 0;
  }
  const double forgetting = std::log1p(-1 / std::max(average_updates_, 1.0));
  // 1 - β^n, without losing a small 1 - β.
  const auto weight_of = [forgetting](std::uint64_t updates) {
    return -std::expm1(static_cast<double>(updates) * forgetting);
  };
  return weight_of(every) / weight_of(steps_);
}

/// In parts that stay in the first cache between the sums.
template <class T>
void Optimizer<T>::update_and_sum(Piece piece, Sums& sums) {
  constexpr std::size_t most = 1024;
  for (std::size_t left = piece.count; left > 0; left -= piece.count) {
    piece.count = std::min(most, left);
    sums.before += sum_of(piece);
    update(piece);
    if (average_share_ > 0) {
      move_average(piece.state[state_.size() - 1], piece.values, piece.count, average_share_);
    }
    sums.after += sum_of(piece);
    piece.values += piece.count;
    piece.gradients += piece.count;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      piece.state[i] += piece.count;
    }
  }
}

template <class T>
typename Optimizer<T>::BitSum Optimizer<T>::sum_of(const Piece& piece) const {
  BitSum sum = bit_sum(std::span<const T>(piece.values, piece.count));
  for (std::size_t i = 0; i < state_.size(); ++i) {
    sum += bit_sum(std::span<const T>(piece.state[i], piece.count));
  }
  return sum;
}

template <class T>
typename Optimizer<T>::BitSum Optimizer<T>::sum_of_all(std::span<const T> values) const {
  BitSum sum = bit_sum(values.subspan(own_.begin, own_.size()));
  for (const AlignedBuffer<T>& state : state_) {
    sum += bit_sum(state.span());
  }
  return sum;
}

template <class T>
void Optimizer<T>::swap_average(std::span<T> values) {
  const std::span<T> own = values.subspan(own_.begin, own_.size());
  std::ranges::swap_ranges(own, state_.back().span());  // the sum of all bits stays
}

template <class T>
void Optimizer<T>::accept(std::span<const T> values) {
  sum_ = sum_of_all(values);
  damaged_ = false;
}

template <class T>
void Optimizer<T>::verify(std::span<const T> values) {
  damaged_ = damaged_ || (sum_ && *sum_ != sum_of_all(values));
}

template <class T>
void Optimizer<T>::begin_step(std::uint64_t /*step_number*/, double /*learning_rate*/) {}

template <class T>
std::unique_ptr<Optimizer<T>> make_optimizer(const OptimizerSettings& settings, Range own,
                                             const std::vector<Range>& decayed) {
  switch (settings.kind) {
    case OptimizerKind::sgd:
      return std::make_unique<Sgd<T>>(settings, own, decayed);
    case OptimizerKind::momentum:
    case OptimizerKind::nesterov:
      return std::make_unique<Momentum<T>>(settings, own, decayed);
    default:
      return std::make_unique<Adam<T>>(settings, own, decayed);
  }
}

template class Optimizer<float>;
template class Optimizer<double>;
template std::unique_ptr<Optimizer<float>> make_optimizer(const OptimizerSettings&, Range,
                                                          const std::vector<Range>&);
template std::unique_ptr<Optimizer<double>> make_optimizer(const OptimizerSettings&, Range,
                                                           const std::vector<Range>&);

}  // namespace dnn
