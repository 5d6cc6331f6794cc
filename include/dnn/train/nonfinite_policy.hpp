#pragma once

// What a run does about NaN, infinite or overflowing gradients (--on-nonfinite): NonfinitePolicy
// decides and reports.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/train/trainer_settings.hpp"
#include "dnn/train/training_step.hpp"

namespace dnn {

/// Collective over `world`: on rank 0, what ranks found, a line of JSON for each that did: rank,
/// host, what, and the samples (counted from 1) that lead to it.
[[nodiscard]] std::vector<std::string> gather_findings(const Communicator& world,
                                                       const std::optional<BadNumbers>& bad);
/// `bad` with the name of its class and the layer where it begins, which the training step does not
/// know. `class_names`: of the data.
[[nodiscard]] std::optional<BadNumbers> in_words_of_the_data(
    std::optional<BadNumbers> bad, const std::vector<std::string>& class_names);
/// Findings in words, each on a new line.
[[nodiscard]] std::string describe_findings(const std::vector<std::string>& findings);

/// What happens when an update does not count since a loss or gradient is not finite.
///
/// Note [What to do about bad numbers]
/// Such an update has changed nothing, so the state before it is good.
///
///     abort      a checkpoint of that state is written, and the run ends as for bad input: the
///                same command would come to the same numbers
///     skip       the update is left out: the schedule and the order of samples go on as if it had
///                been made, and the epoch's means are over the other samples
///     rollback   the run goes back to the newest checkpoint and comes again; a fault of the
///                machine does not come twice. If it does, the update is left out
///
/// A run that leaves out update after update does not train: after `most_in_a_row` the run is
/// aborted, and so it is after as many rollbacks. A run that resumes counts anew.
class NonfinitePolicy {
 public:
  enum class Action { skip, roll_back, abort };

  /// Where an update is in the run; all count from 1.
  struct Place {
    std::uint64_t update = 0;
    std::size_t epoch = 0;
    std::size_t step = 0;  ///< of the epoch
  };

  static constexpr std::size_t most_in_a_row = 10;

  /// `log`: the file that rank 0 appends reports to; empty: none. `world` and `class_names`, of the
  /// data, must outlive the guard.
  NonfinitePolicy(OnNonfinite policy, const Communicator& world,
                  const std::vector<std::string>& class_names, std::string log);

  /// Collective, after an update that does not count: reports it on standard error and in the log,
  /// and says what to do. `bad`: what this rank found.
  [[nodiscard]] Action decide(const Place& place, const std::optional<BadNumbers>& bad);

  /// After an update that counts.
  void note_good() { in_a_row_ = 0; }

  /// Why the run ends where the last decision was to abort; the same on all ranks. `saved`: what
  /// became of the state before the update, see RunSaver::save_for_good.
  [[nodiscard]] std::string reason_to_end(const std::string& saved) const;

 private:
  [[nodiscard]] Action choose(std::uint64_t update);
  void report(const Place& place, const std::optional<BadNumbers>& bad, Action action);

  OnNonfinite policy_;
  const Communicator& world_;
  const std::vector<std::string>& class_names_;
  std::string log_;
  std::size_t in_a_row_ = 0;
  std::set<std::uint64_t> rolled_back_;  ///< updates that made the run go back
  std::string message_;
};

}  // namespace dnn
