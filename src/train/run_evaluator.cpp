#include "dnn/train/run_evaluator.hpp"

#include <cstdint>

namespace dnn {

template <class T>
RunEvaluator<T>::RunEvaluator(const RankGrid& grid, const ParameterLayout& part,
                              const TrainingData& data)
    : grid_(grid), part_(part), data_(data) {
  if (data.sampler.validation_samples() > 0) {
    validator_.emplace(
        grid, part, data.train, Gatherer<T>(data.train, data.normalizer), data.form(),
        data.sampler.validation_samples(),
        [&sampler = data.sampler](std::uint64_t i) { return sampler.validation_sample(i); },
        most_rows);
  }
}

template <class T>
std::optional<Evaluation> RunEvaluator<T>::validate(Network<T>& network,
                                                    const std::function<void()>& between) {
  if (!validator_) {
    return std::nullopt;
  }
  return validator_->run(network, nullptr, between);
}

template <class T>
Evaluation RunEvaluator<T>::judge(Network<T>& network, Confusion& confusion) {
  if (!data_.test && validator_) {
    return validator_->run(network, &confusion);
  }
  const Dataset& set = data_.test ? *data_.test : data_.train;
  Evaluator<T> evaluator(
      grid_, part_, data_.train, Gatherer<T>(set, data_.normalizer), data_.form(), set.samples,
      [](std::uint64_t i) { return i; }, most_rows);
  return evaluator.run(network, &confusion);
}

template class RunEvaluator<float>;
template class RunEvaluator<double>;

}  // namespace dnn
