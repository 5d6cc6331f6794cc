#include "dnn/plots/number_plots.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/core/page_number.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

template <class T>
NumberPlots<T>::NumberPlots(const Dataset& outputs, const HeldOutputs& held,
                            const Permutation& order)
    : names_(outputs.class_names),
      scale_(outputs.target_scale),
      held_(held),
      points_(names_, order),
      worst_(most_wrong_samples) {}

template <class T>
void NumberPlots<T>::add(MatrixView<const T> A, const Targets& targets,
                         std::span<const SoftmaxRow> /*rows*/,
                         std::span<const std::uint64_t> samples) {
  for (std::size_t s = 0; s < A.rows; ++s) {
    // A target that does not count may be of any size, and would hide the others.
    for (std::size_t j = 0; j < A.cols && targets.weight(s) > 0; ++j) {
      const std::size_t target = held_.columns.begin + j;
      const auto predicted = static_cast<double>(A(s, j));
      const double truth = targets.rows(s, target);
      worst_.add({std::abs(predicted - truth), samples[s], target, {truth, predicted, 0}});
      points_.add(target, samples[s], truth, predicted);
    }
  }
}

template <class T>
nlohmann::ordered_json NumberPlots<T>::finish(const Communicator& world) const {
  Json numbers = points_.finish(world, scale_);
  Json worst = Json::array();
  for (const RankedSample& one : worst_.gather(world)) {
    worst.push_back({{"sample", one.sample + 1},
                     {"target", names_[one.output]},
                     {"true", page_number(in_unit(one.values[0], scale_, one.output))},
                     {"predicted", page_number(in_unit(one.values[1], scale_, one.output))},
                     {"deviations", page_number(one.rank)}});
  }
  return {{"numbers", std::move(numbers)}, {"worst", std::move(worst)}};
}

template class NumberPlots<float>;
template class NumberPlots<double>;

}  // namespace dnn
