#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/data/reading_team.hpp"

namespace dnn {

/// The leaders of all nodes, in the order of their ranks, which read data together.
///
/// Note [No leader waits for one that has failed]
/// A leader may find what no other does: a file that only its host lacks, or no memory. So every
/// message of the team begins with how its sender is: at work, failed, or done. A leader that has
/// failed says so in place of its next message, and all end with its error. Of several that fail in
/// place of the same message, the first one's error counts: it has the first part of the data.
class LeaderTeam {
 public:
  /// Collective over `world`.
  LeaderTeam(const Communicator& world, const Node& node);
  LeaderTeam(const LeaderTeam&) = delete;
  LeaderTeam& operator=(const LeaderTeam&) = delete;
  ~LeaderTeam();

  /// Collective over the world: `work(team)` on all leaders, while the other ranks sleep; what it
  /// returns, on leaders. Throws AgreedError, on all ranks, where it throws on any.
  template <class Work>
  auto run(Work&& work) const {
    std::optional<std::invoke_result_t<Work, const ReadingTeam&>> result;
    std::optional<Failure> failure;
    if (is_leader_) {
      try {
        result.emplace(std::forward<Work>(work)(team_));
        finish();
      } catch (const Failure& agreed) {
        failure = agreed;
      } catch (const std::bad_alloc&) {
        failure = fail(out_of_memory(world_), Fault::memory);
      } catch (const std::exception& error) {
        failure = fail(error.what(), fault_of(error));
      }
    }
    world_.sleeping_barrier();
    throw_if_any_failed(world_, failure.has_value(), failure ? failure->what() : "",
                        failure ? failure->fault : Fault::input);
    return result;
  }

 private:
  class Messages;
  /// What all leaders end with.
  struct Failure : std::runtime_error {
    Failure(const std::string& message, Fault what) : std::runtime_error(message), fault(what) {}
    Fault fault;
  };

  void finish() const;
  [[nodiscard]] Failure fail(const std::string& message, Fault fault) const;

  const Communicator& world_;
  bool is_leader_;
  Communicator leaders_;
  std::shared_ptr<Messages> messages_;
  ReadingTeam team_;
};

}  // namespace dnn
