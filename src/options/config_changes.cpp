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

std::string change(const std::string& key, const Json& before, const Json& now,
                   const std::string& reason = {}) {
  return key + ": was " + before.dump() + ", is " + now.dump() + reason;
}

/// Why the run cannot be extended to `now` epochs; empty if it can.
std::string epochs_reason(const Config& now, std::uint64_t epochs_done) {
  if (now.lr_schedule == ScheduleKind::cosine) {
    return " (the " + word_for(now.lr_schedule) +
           " schedule ends with the last epoch, so the epochs already done would have had other "
           "rates; only constant and step can be extended)";
  }
  if (now.epochs < epochs_done) {
    return " (" + std::to_string(epochs_done) + " are done)";
  }
  return {};
}

}  // namespace

std::vector<std::string> config_changes(const std::string& before, const Config& now,
                                        std::uint64_t epochs_done) {
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
    if (is_open(now, key) && !now.resolved) {
      if (!old.contains("chosen") || !old["chosen"].contains(key)) {
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
      changes.push_back(change(key, was, value));
    } else if (const std::string reason = epochs_reason(now, epochs_done); !reason.empty()) {
      changes.push_back(change(key, was, value, reason));
    }
  }
  return changes;
}

}  // namespace dnn
