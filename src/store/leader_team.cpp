#include "dnn/store/leader_team.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

namespace dnn {

/// The messages of the leaders, see Note [No leader waits for one that has failed].
class LeaderTeam::Messages : public ReadingTeam::Link {
 public:
  explicit Messages(const Communicator& leaders) : leaders_(leaders) {}

  [[nodiscard]] std::vector<std::string> exchange(const std::string& own) override {
    const std::vector<Header> headers = begin({State::at_work, own.size()});
    std::vector<std::string> all(headers.size());
    for (std::size_t m = 0; m < all.size(); ++m) {
      const bool is_own = static_cast<int>(m) == leaders_.rank();
      all[m] = is_own ? own : std::string(headers[m].bytes, '\0');
    }
    (void)begin({State::at_work, 0});  // all have the memory
    for (std::size_t m = 0; m < all.size(); ++m) {
      leaders_.broadcast(std::as_writable_bytes(std::span(all[m])), static_cast<int>(m));
    }
    return all;
  }

  void complete(std::span<std::byte> whole, std::span<const Range> slices) override {
    (void)begin({State::at_work, whole.size()});
    for (std::size_t m = 0; m < slices.size(); ++m) {
      leaders_.broadcast(whole.subspan(slices[m].begin, slices[m].size()), static_cast<int>(m));
    }
  }

  void finish() { (void)begin({State::done, 0}); }

  [[nodiscard]] Failure fail(const std::string& message, Fault fault) {
    failure_ = message;
    fault_ = fault;
    try {
      (void)begin({State::failed, 0});
    } catch (const Failure& agreed) {
      return agreed;
    }
    throw std::logic_error("LeaderTeam: nobody has failed");
  }

 private:
  enum class State : std::uint64_t { at_work, done, failed };
  struct Header {
    State state = State::at_work;
    std::uint64_t bytes = 0;
  };

  /// What all leaders begin a message with. Throws Failure, on all, where one has failed.
  std::vector<Header> begin(Header own) {
    std::vector<Header> all(static_cast<std::size_t>(leaders_.size()));
    leaders_.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(all)));
    const auto is_in = [](State state) {
      return [state](const Header& header) { return header.state == state; };
    };
    const auto failed = std::find_if(all.begin(), all.end(), is_in(State::failed));
    if (failed != all.end()) {
      throw failure_of(static_cast<int>(failed - all.begin()));
    }
    if (!std::all_of(all.begin(), all.end(), is_in(own.state))) {
      throw Failure("the hosts do not see the same data; give --data-access local", Fault::input);
    }
    return all;
  }

  /// Collective over the leaders.
  [[nodiscard]] Failure failure_of(int leader) const {
    std::string text = failure_;
    if (leader == leaders_.rank() && leader > 0) {
      text = fmt::format("on host {}: {}", host_name(), text);
    }
    text = leaders_.broadcast(text + static_cast<char>(fault_), leader);
    const auto fault = static_cast<Fault>(text.back());
    text.pop_back();
    return {text, fault};
  }

  const Communicator& leaders_;
  std::string failure_;
  Fault fault_ = Fault::other;
};

LeaderTeam::LeaderTeam(const Communicator& world, const Node& node)
    : world_(world),
      is_leader_(node.is_leader()),
      leaders_(world.split(is_leader_ ? 0 : 1)),
      messages_(std::make_shared<Messages>(leaders_)),
      team_(is_leader_ ? static_cast<std::size_t>(leaders_.size()) : 1,
            is_leader_ ? static_cast<std::size_t>(leaders_.rank()) : 0, messages_) {}

LeaderTeam::~LeaderTeam() = default;

void LeaderTeam::finish() const {
  messages_->finish();
}

LeaderTeam::Failure LeaderTeam::fail(const std::string& message, Fault fault) const {
  return messages_->fail(message, fault);
}

}  // namespace dnn
