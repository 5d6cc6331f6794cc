#include "dnn/comm/collective_error.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

std::string out_of_memory(const Communicator& ranks) {
  const Activity activity = ranks.heartbeat().activity();
  const char* advice =
      activity == Activity::starting || activity == Activity::loading
          ? "Use fewer ranks per host or more hosts, convert the data to uncompressed NPY files "
            "(which are mapped, not read), or ask the batch system for more memory"
          : "Use more hosts, smaller --hidden layers or a smaller --batch-size, split the model "
            "(--model-parallel), or ask the batch system for more memory";
  return fmt::format("not enough memory on host {} while {}: this job may use {} more there. {}",
                     host_name(), name_of(activity), size_text(available_memory()), advice);
}

Fault fault_of(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return Fault::memory;
  }
  if (dynamic_cast<const FileError*>(&error) != nullptr) {
    return Fault::file;
  }
  if (dynamic_cast<const InputError*>(&error) != nullptr) {
    return Fault::input;
  }
  return dynamic_cast<const NumericalError*>(&error) != nullptr ? Fault::numbers : Fault::other;
}

namespace {

/// Collective: throws on every rank what the lowest rank that `failed` says.
void throw_first_failure(const Communicator& ranks, bool failed, std::string text, Fault fault) {
  const std::int64_t own = failed ? ranks.rank() : ranks.size();
  const std::int64_t first = ranks.all_reduce(own, Reduction::min);
  if (first == ranks.size()) {
    return;
  }
  text += static_cast<char>(fault);
  text = ranks.broadcast(std::move(text), static_cast<int>(first));
  const auto agreed = static_cast<Fault>(text.back());
  text.pop_back();
  throw AgreedError(text, agreed);
}

}  // namespace

void throw_if_any_failed(const Communicator& ranks, bool failed, const std::string& message,
                         Fault fault) {
  const bool is_named = failed && ranks.job_rank() != 0;
  throw_first_failure(
      ranks, failed,
      is_named ? fmt::format("on rank {} (host {}): {}", ranks.job_rank(), host_name(), message)
               : message,
      fault);
}

void throw_if_any_agreed(const Communicator& ranks, const std::optional<AgreedError>& error) {
  throw_first_failure(ranks, error.has_value(), error ? error->what() : "",
                      error ? error->fault() : Fault::other);
}

}  // namespace dnn
