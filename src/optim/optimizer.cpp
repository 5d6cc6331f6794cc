#include "dnn/optim/optimizer.hpp"

#include "dnn/core/threads.hpp"
#include "dnn/optim/adam.hpp"
#include "dnn/optim/momentum.hpp"
#include "dnn/optim/sgd.hpp"

namespace dnn {

template <class T>
Optimizer<T>::Optimizer(Range own, const std::vector<Range>& decayed, double weight_decay,
                        int buffers)
    : own_(own), weight_decay_(weight_decay) {
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
  for (int i = 0; i < buffers; ++i) {
    state_.emplace_back(own.size());
  }
}

template <class T>
void Optimizer<T>::step(std::span<T> values, std::span<const T> gradients,
                        const GradientPlaces& places, double learning_rate, double scale) {
  begin_step(++steps_, learning_rate);
  for (const Segment& segment : segments_) {
    parallel_for(segment.range.size(), parallel_grain, [&](Range part) {
      const Range elements{segment.range.begin + part.begin, segment.range.begin + part.end};
      places.for_each_run(elements, [&](Range run, std::size_t place) {
        Piece piece{values.data() + run.begin,
                    gradients.data() + place,
                    {},
                    run.size(),
                    static_cast<T>(learning_rate),
                    static_cast<T>(scale),
                    static_cast<T>(segment.decayed ? weight_decay_ : 0)};
        for (std::size_t i = 0; i < state_.size(); ++i) {
          piece.state[i] = state_[i].data() + (run.begin - own_.begin);
        }
        update(piece);
      });
    });
  }
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
