#include "dnn/checkpoint/checkpoint_control.hpp"

#include <algorithm>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"

namespace dnn {

namespace {
constexpr double agreement_seconds = 0.05;
constexpr std::int64_t longest_period = 1 << 20;
}  // namespace

CheckpointControl::CheckpointControl(const Communicator& world, const StopSource* stop,
                                     Settings settings)
    : world_(world), stop_(stop), settings_(std::move(settings)) {
  if (world.is_root() && writes()) {
    writer_ =
        std::make_unique<CheckpointWriter>(CheckpointFolder(settings_.folder), settings_.keep);
  }
  if (settings_.parallel && writes()) {
    const std::string reason = why_not_shared(world, settings_.folder);
    settings_.parallel = reason.empty();
    if (world.is_root() && !reason.empty()) {
      complain("dnn_train: warning: rank 0 writes the checkpoints alone: " + reason);
    }
  }
}

bool CheckpointControl::seconds_over() const {
  return settings_.interval.unit == CheckpointInterval::Unit::seconds && world_.is_root() &&
         since_checkpoint_.seconds() >= static_cast<double>(settings_.interval.count);
}

CheckpointControl::Agreed CheckpointControl::agree_now_and_then() {
  if (++calls_ < period_) {
    return {};
  }
  // Faster where it took too long; at most four times slower at once, since one odd measurement
  // must not make the ranks deaf.
  const double wanted = agreement_seconds / std::max(since_agreement_.lap(), 1e-9);
  const double period = static_cast<double>(calls_) * std::min(wanted, 4.0);
  std::int64_t mine[4] = {
      stop_ != nullptr && stop_->requested() ? 0 : 1, seconds_over() ? 0 : 1,
      std::clamp(static_cast<std::int64_t>(period), std::int64_t{1}, longest_period),
      parts_ && parts_->is_written() ? 1 : 0};
  world_.all_reduce(std::span<std::int64_t>(mine), Reduction::min);
  calls_ = 0;
  period_ = mine[2];
  if (mine[3] == 1) {
    commit_parts();
  }
  return {mine[0] == 0, mine[1] == 0};
}

CheckpointControl::Order CheckpointControl::after_update(std::uint64_t updates) {
  const Agreed agreed = agree_now_and_then();
  if (agreed.stop) {
    return Order::stop;
  }
  const CheckpointInterval& interval = settings_.interval;
  const bool due =
      interval.unit == CheckpointInterval::Unit::steps && updates % interval.count == 0;
  return writes() && (due || agreed.seconds_over) ? Order::checkpoint : Order::go_on;
}

CheckpointControl::Order CheckpointControl::after_epoch(std::uint64_t updates, std::uint64_t epoch,
                                                        bool is_last) {
  const Order order = after_update(updates);
  const CheckpointInterval& interval = settings_.interval;
  const bool due =
      (interval.unit == CheckpointInterval::Unit::epochs && epoch % interval.count == 0) ||
      (interval.unit != CheckpointInterval::Unit::never && is_last);
  return order == Order::go_on && writes() && due ? Order::checkpoint : order;
}

void CheckpointControl::check_stop() {
  if (agree_now_and_then().stop) {
    throw StopAgreed();
  }
}

bool CheckpointControl::has_checkpoint() const {
  const bool any =
      world_.is_root() && writes() && !CheckpointFolder(settings_.folder).newest_first().empty();
  return world_.all_reduce<std::int64_t>(any ? 1 : 0, Reduction::max) == 1;
}

void CheckpointControl::commit_parts() {
  if (!parts_) {
    return;
  }
  ParallelCheckpoint::Outcome outcome = parts_->collect();
  parts_.reset();
  if (writer_ && outcome.error.empty()) {
    writer_->submit(std::move(outcome.checkpoint), outcome.seconds);
  } else if (writer_) {
    writer_->fail(outcome.checkpoint.updates, outcome.error);
  }
}

void CheckpointControl::submit_part(Checkpoint checkpoint, ElementRuns elements,
                                    std::vector<std::byte> bytes, double stall) {
  Stopwatch watch;
  wait();
  parts_.emplace(world_, CheckpointFolder(settings_.folder), std::move(checkpoint),
                 std::move(elements), std::move(bytes));
  stall_seconds_ += stall + watch.seconds();
  since_checkpoint_.lap();
}

void CheckpointControl::submit(Checkpoint checkpoint, double stall) {
  Stopwatch watch;
  if (writer_) {
    writer_->submit(std::move(checkpoint));
  }
  stall_seconds_ += stall + watch.seconds();
  since_checkpoint_.lap();
}

void CheckpointControl::finish() {
  commit_parts();
  agree(world_, [this] {
    if (writer_) {
      writer_->wait();
      if (const std::string error = writer_->report().last_error; !error.empty()) {
        throw InputError(error);
      }
    }
  });
}

void CheckpointControl::wait() {
  commit_parts();
  if (writer_) {
    writer_->wait();
  }
  world_.barrier();
}

CheckpointWriter::Report CheckpointControl::report() const {
  return writer_ ? writer_->report() : CheckpointWriter::Report{};
}

std::string CheckpointControl::stop_reason() const {
  std::string reason;
  for (const std::string& of_rank :
       world_.gather(stop_ != nullptr ? stop_->reason() : std::string(), 0)) {
    reason = reason.empty() ? of_rank : reason;
  }
  return reason;
}

}  // namespace dnn
