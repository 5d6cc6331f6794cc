#include "dnn/options/config_changes.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/options/option_table.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

/// Why a run of schedule `before` cannot be extended to `now` epochs; empty if it can.
std::string epochs_reason(const Json& before, const Config& now, std::uint64_t epochs_done) {
  if (before == word_for(ScheduleKind::cosine)) {
    return " (the cosine schedule of the run ends with its last epoch, so the epochs already done "
           "would have had other rates; such a run cannot be extended)";
  }
  if (now.epochs < epochs_done) {
    return " (" + std::to_string(epochs_done) + " are done)";
  }
  return {};
}

/// `all`: those of options that the data decide, too.
std::vector<std::string> changes_of(const std::string& before, const Config& now,
                                    std::uint64_t epochs_done, bool all) {
  const Json old = Json::parse(before, nullptr, false);
  if (!old.is_object()) {
    throw InputError("the configuration that was saved cannot be read");
  }
  const Json defaults = to_json(Config{});
  const Json current = to_json(now);
  std::vector<std::string> changes;
  for (const Option& option : option_table()) {
    const std::string& key = option.name;
    const Json& value = current[key];
    const Json was = old.contains(key) ? old[key] : defaults[key];
    const bool was_open = old.contains("chosen") && old["chosen"].contains(key);
    if (is_open(now, key) && (!now.resolved || (was_open && !all))) {
      if (!was_open) {
        // Given, or of a version that did not choose it.
        changes.push_back(fmt::format("{0}: was {1}, is left to the data; --{0} {1} keeps it", key,
                                      was.is_string() ? was.get<std::string>() : was.dump()));
      }
      continue;
    }
    if (was == value || option.binding != Binding::model) {
      continue;
    }
    if (key != "epochs") {
      changes.push_back(describe_change(key, was, value));
    } else if (const std::string reason = epochs_reason(
                   old.value("lr-schedule", defaults["lr-schedule"]), now, epochs_done);
               !reason.empty()) {
      changes.push_back(describe_change(key, was, value) + reason);
    }
  }
  return changes;
}

}  // namespace

std::vector<std::string> config_changes(const std::string& before, const Config& now,
                                        std::uint64_t epochs_done) {
  return changes_of(before, now, epochs_done, true);
}

std::vector<std::string> given_changes(const std::string& before, const Config& now,
                                       std::uint64_t epochs_done) {
  return changes_of(before, now, epochs_done, false);
}

std::string describe_change(const std::string& option, const Json& before, const Json& now) {
  constexpr auto replace = Json::error_handler_t::replace;
  return option + ": was " + before.dump(-1, ' ', false, replace) + ", is " +
         now.dump(-1, ' ', false, replace);
}

}  // namespace dnn
