#include "dnn/evaluate/label_thresholds.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <type_traits>

#include "dnn/core/copy_bytes.hpp"
#include "dnn/nn/output_loss.hpp"

namespace dnn {

namespace {

constexpr double usual_threshold = 0.5;

/// A threshold in (below, at]: 1/2 where it is one, else the middle.
double threshold_between(double below, double at) {
  if (below < usual_threshold && usual_threshold <= at) {
    return usual_threshold;
  }
  const double middle = below + (at - below) / 2;
  return middle > below ? middle : at;  // of neighbouring numbers there is no middle
}

}  // namespace

double best_threshold(std::vector<LabelScore>& scores) {
  double positives = 0;
  std::sort(scores.begin(), scores.end(), [](const LabelScore& a, const LabelScore& b) {
    return std::tie(b.probability, b.has_label, b.weight) <
           std::tie(a.probability, a.has_label, a.weight);
  });
  for (const LabelScore& score : scores) {
    if (std::isnan(score.probability)) {
      return usual_threshold;
    }
    positives += score.has_label ? score.weight : 0;
  }
  double best = usual_threshold;
  double best_f1 = 0;
  double right = 0;
  double given = 0;
  for (std::size_t i = 0; i < scores.size();) {
    const double at = scores[i].probability;
    for (; i < scores.size() && scores[i].probability == at; ++i) {
      given += scores[i].weight;
      right += scores[i].has_label ? scores[i].weight : 0;
    }
    const double threshold = threshold_between(i < scores.size() ? scores[i].probability : 0, at);
    const double f1 = right > 0 ? 2 * right / (given + positives) : 0;
    const bool is_nearer = std::abs(threshold - usual_threshold) < std::abs(best - usual_threshold);
    if (f1 > best_f1 || (f1 == best_f1 && f1 > 0 && is_nearer)) {
      best = threshold;
      best_f1 = f1;
    }
  }
  return best;
}

template <class T>
void LabelThresholds::add(std::span<const std::uint64_t> samples, MatrixView<const T> outputs) {
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    probabilities_.push_back(sigmoid(outputs.data[i]));
  }
}

template void LabelThresholds::add(std::span<const std::uint64_t>, MatrixView<const float>);
template void LabelThresholds::add(std::span<const std::uint64_t>, MatrixView<const double>);

std::string LabelThresholds::scores_of(std::size_t label) const {
  static_assert(std::is_trivially_copyable_v<LabelScore>);
  const std::size_t labels = data_.classes();
  const auto targets = data_.target_rows.as<double>();
  const auto weights = data_.weights.as<double>();
  std::string bytes;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const std::uint64_t sample = samples_[i];
    const LabelScore score{probabilities_[i * labels + label],
                           data_.has_weights() ? weights[sample] : 1,
                           targets[sample * labels + label] >= usual_threshold};
    bytes.append(reinterpret_cast<const char*>(&score), sizeof(score));
  }
  return bytes;
}

std::vector<double> LabelThresholds::choose(const Communicator& world) const {
  std::vector<double> thresholds(data_.classes(), usual_threshold);
  for (std::size_t label = 0; label < thresholds.size(); ++label) {
    const std::vector<std::string> all = world.gather(scores_of(label), 0);
    std::vector<LabelScore> scores;
    for (const std::string& part : all) {
      const std::size_t before = scores.size();
      scores.resize(before + part.size() / sizeof(LabelScore));
      copy_bytes(scores.data() + before, part.data(), part.size());
    }
    if (world.is_root()) {
      thresholds[label] = best_threshold(scores);
    }
  }
  world.broadcast(std::as_writable_bytes(std::span(thresholds)), 0);
  return thresholds;
}

}  // namespace dnn
