#pragma once

// Errors that all ranks of a communicator throw together.

#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// What kind of thing went wrong, see the error types of core.
enum class Fault : std::uint8_t { input, file, numbers, memory, callback, other };

/// An error that every rank of a communicator throws together, with the same message: the job can
/// end in order, and one rank reports it for all.
class AgreedError : public std::runtime_error {
 public:
  explicit AgreedError(const std::string& message, Fault fault = Fault::input)
      : std::runtime_error(message), fault_(fault) {}

  [[nodiscard]] Fault fault() const { return fault_; }

 private:
  Fault fault_;
};

/// The kind of `error`.
[[nodiscard]] Fault fault_of(const std::exception& error);

/// What a rank that could not allocate memory says: what it was doing, and what there is.
[[nodiscard]] std::string out_of_memory(const Communicator& ranks);

/// Collective: throws AgreedError on every rank if any rank `failed`, with the message of the
/// lowest rank that did (and that rank's number in the job and host, when it is not rank 0), and
/// its fault.
void throw_if_any_failed(const Communicator& ranks, bool failed, const std::string& message,
                         Fault fault = Fault::input);

/// Collective: the same where some of the ranks have thrown `error` together, which is told as it
/// is.
void throw_if_any_agreed(const Communicator& ranks, const std::optional<AgreedError>& error);

/// How ranks wait for the one that works longest.
enum class Waiting {
  awake,  ///< and notice its end at once
  asleep  ///< and leave their cores to it
};

/// Collective: runs `work` on every rank and returns its result; if it throws a std::exception on
/// any rank, every rank throws AgreedError instead. `work` must not be collective itself, unless
/// whatever it throws around its collective calls is thrown on all ranks.
template <class Work>
auto agree(const Communicator& ranks, Work&& work, Waiting waiting = Waiting::awake) {
  using Result = std::invoke_result_t<Work>;
  constexpr bool has_result = !std::is_void_v<Result>;
  std::conditional_t<has_result, std::optional<Result>, int> result{};
  bool failed = true;
  std::string message;
  Fault fault = Fault::other;
  try {
    if constexpr (has_result) {
      result.emplace(std::forward<Work>(work)());
    } else {
      std::forward<Work>(work)();
    }
    failed = false;
  } catch (const AgreedError&) {
    throw;
  } catch (const std::bad_alloc&) {
    message = out_of_memory(ranks);
    fault = Fault::memory;
  } catch (const std::exception& error) {
    message = error.what();
    fault = fault_of(error);
  }
  if (waiting == Waiting::asleep) {
    ranks.sleeping_barrier();
  }
  throw_if_any_failed(ranks, failed, message, fault);
  if constexpr (has_result) {
    return *std::move(result);
  }
}

}  // namespace dnn
