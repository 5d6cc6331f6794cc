#include "dnn/evaluate/run_evaluator.hpp"

#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "dnn/core/permutation.hpp"
#include "dnn/core/random.hpp"
#include "dnn/evaluate/label_thresholds.hpp"
#include "dnn/plots/held_out_plots.hpp"

namespace dnn {

namespace {

constexpr std::size_t all_bytes = std::size_t{1} << 50;

}  // namespace

template <class T>
RunEvaluator<T>::RunEvaluator(const RankGrid& grid, const ParameterLayout& part,
                              const TrainingData& data, std::uint64_t seed)
    : grid_(grid), part_(part), data_(data), seed_(seed), outputs_(data.train) {
  if (data.sampler.validation_samples() > 0) {
    validator_.emplace(grid, part, outputs_, validation_samples(), inputs(all_bytes));
  }
}

template <class T>
JudgedSamples RunEvaluator<T>::validation_samples() const {
  return {data_.train, data_.sampler.validation_samples(),
          [&sampler = data_.sampler](std::uint64_t i) { return sampler.validation_sample(i); },
          data_.held.get()};
}

template <class T>
EvaluationInputs RunEvaluator<T>::inputs(std::size_t window_bytes) const {
  return {data_.normalizer, data_.form(), most_rows, window_bytes};
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
void RunEvaluator<T>::choose_thresholds(Network<T>& network) {
  LabelThresholds choice(outputs_);
  (void)validator_->run(network, nullptr, {}, nullptr,
                        [&choice](std::span<const std::uint64_t> samples,
                                  MatrixView<const T> outputs) { choice.add(samples, outputs); });
  outputs_.label_thresholds = choice.choose(grid_.world());
}

template <class T>
JudgedSamples RunEvaluator<T>::judged() const {
  if (data_.is_fold()) {
    const SampleList& left_out = *data_.fold.left_out;
    return {data_.train, left_out.size(), [&left_out](std::uint64_t i) { return left_out[i]; },
            data_.held.get()};
  }
  if (!data_.test && validator_) {
    return validation_samples();
  }
  const Dataset& set = data_.test ? *data_.test : data_.train;
  return {set, set.samples, [](std::uint64_t i) { return i; },
          (data_.test ? data_.held_test : data_.held).get()};
}

template <class T>
Evaluation RunEvaluator<T>::judge(Network<T>& network, Confusion& confusion,
                                  nlohmann::ordered_json* plots, const OutputSink<T>& sink) {
  const JudgedSamples judged = this->judged();
  std::unique_ptr<HeldOutPlots<T>> drawn;
  if (plots != nullptr) {
    const HeldOutputs held{part_.layers().back().columns,
                           grid_.is_split() ? &grid_.model_group() : nullptr};
    const RandomStream stream(seed_, Purpose::plotted_samples);
    drawn = make_plots<T>(outputs_, held, Permutation(judged.set.samples, stream));
  }
  std::optional<Evaluator<T>> own;
  if (data_.is_fold() || data_.test || !validator_) {
    own.emplace(grid_, part_, outputs_, judged, inputs(data_.placement.window_bytes));
  }
  const Evaluation evaluation =
      (own ? *own : *validator_).run(network, &confusion, {}, drawn.get(), sink);
  if (plots != nullptr) {
    *plots = drawn->finish(grid_.world());
  }
  return evaluation;
}

template <class T>
Importance RunEvaluator<T>::importance(Network<T>& network, const ImportanceSettings& settings) {
  return permutation_importance(grid_, part_, network, data_, judged(), settings);
}

template class RunEvaluator<float>;
template class RunEvaluator<double>;

}  // namespace dnn
