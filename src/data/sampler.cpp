#include "dnn/data/sampler.hpp"

#include <algorithm>
#include <stdexcept>

namespace dnn {

Sampler::Sampler(const Settings& settings)
    : settings_(settings),
      training_(settings.samples - settings.held_out),
      split_(settings.samples, RandomStream(settings.seed, Purpose::split)) {
  if (settings.held_out >= settings.samples || settings.batch_size == 0 ||
      settings.rank >= settings.ranks) {
    throw std::invalid_argument("Sampler: no training samples, an empty batch or no such rank");
  }
}

std::size_t Sampler::steps() const {
  return (training_ + settings_.batch_size - 1) / settings_.batch_size;
}

std::size_t Sampler::max_share() const {
  // The first of any parts is the largest one.
  const std::size_t batch = std::min(settings_.batch_size, training_);
  if (settings_.logical_shards == 0) {
    return part_of(batch, settings_.ranks, 0).size();
  }
  return part_of(batch, settings_.logical_shards, 0).size() *
         part_of(settings_.logical_shards, settings_.ranks, 0).size();
}

std::size_t Sampler::batch_samples(std::size_t step) const {
  const std::size_t first = step * settings_.batch_size;
  return std::min(settings_.batch_size, training_ - first);
}

Range Sampler::share(std::size_t step, std::size_t rank) const {
  return share_of(batch_samples(step), settings_.logical_shards, settings_.ranks, rank);
}

void Sampler::batch(std::size_t epoch, std::size_t step,
                    std::vector<std::uint64_t>& samples) const {
  samples.clear();
  append_batch(epoch, step, settings_.rank, samples);
}

void Sampler::append_batch(std::size_t epoch, std::size_t step, std::size_t rank,
                           std::vector<std::uint64_t>& samples) const {
  take(epoch, step, share(step, rank), samples);
}

void Sampler::global_batch(std::size_t epoch, std::size_t step,
                           std::vector<std::uint64_t>& samples) const {
  samples.clear();
  take(epoch, step, {0, batch_samples(step)}, samples);
}

void Sampler::take(std::size_t epoch, std::size_t step, Range which,
                   std::vector<std::uint64_t>& samples) const {
  const Permutation order = order_of(epoch);
  const std::size_t first = step * settings_.batch_size;
  for (std::size_t i = which.begin; i < which.end; ++i) {
    samples.push_back(training_sample(order(first + i)));
  }
}

Permutation Sampler::order_of(std::size_t epoch) const {
  return {training_, RandomStream(settings_.seed, Purpose::shuffle, 0, epoch)};
}

Sampler::Places::Places(const Sampler& sampler, std::size_t epoch)
    : sampler_(sampler), order_(sampler.order_of(epoch)), last_step_(sampler.steps() - 1) {
  for (std::size_t rank = 0; rank < sampler.settings_.ranks; ++rank) {
    ends_.push_back(sampler.share(0, rank).end);
    last_ends_.push_back(sampler.share(last_step_, rank).end);
  }
}

std::optional<Sampler::Place> Sampler::Places::of(std::uint64_t sample) const {
  const std::optional<std::uint64_t> trained_on = sampler_.training_position(sample);
  if (!trained_on) {
    return std::nullopt;
  }
  const std::uint64_t position = order_.position_of(*trained_on);
  const std::size_t step = position / sampler_.settings_.batch_size;
  const std::size_t in_batch = position % sampler_.settings_.batch_size;
  const std::vector<std::size_t>& ends = step == last_step_ ? last_ends_ : ends_;
  const auto rank = std::upper_bound(ends.begin(), ends.end(), in_batch) - ends.begin();
  return Place{position, step, static_cast<std::size_t>(rank)};
}

/// The inverse of training_sample; nothing for a sample that is not trained on.
std::optional<std::uint64_t> Sampler::training_position(std::uint64_t sample) const {
  if (settings_.held_out == 0 && !settings_.split) {
    return sample;
  }
  if (settings_.split && !settings_.split->is_trained_on(sample)) {
    return std::nullopt;
  }
  const std::uint64_t position =
      settings_.split ? settings_.split->position_of(sample) : split_.position_of(sample);
  return position >= settings_.held_out ? std::optional(position - settings_.held_out)
                                        : std::nullopt;
}

std::uint64_t Sampler::sample_at(std::uint64_t position) const {
  return settings_.split ? settings_.split->at(position) : split_(position);
}

std::uint64_t Sampler::training_sample(std::uint64_t position) const {
  return settings_.held_out == 0 && !settings_.split ? position
                                                     : sample_at(settings_.held_out + position);
}

bool Sampler::is_training(std::uint64_t sample) const {
  return settings_.split ? settings_.split->is_trained_on(sample) : !is_validation(sample);
}

bool Sampler::is_validation(std::uint64_t sample) const {
  if (settings_.split) {
    return settings_.split->is_held_out(sample);
  }
  return settings_.held_out > 0 && split_.position_of(sample) < settings_.held_out;
}

std::uint64_t Sampler::validation_sample(std::uint64_t position) const {
  return sample_at(position);
}

}  // namespace dnn
