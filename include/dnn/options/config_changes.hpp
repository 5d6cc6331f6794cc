#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dnn/options/config.hpp"

namespace dnn {

/// Lists the changes that keep a run of configuration `before` (JSON, see to_json) from being
/// resumed as `now`: a line
/// for each setting that differs and decides what the run computes, with both values; empty where
/// nothing does. Settings that `before` does not have (of an older version) count as having had
/// their defaults.
///
/// Harmless are: where output goes and how much of it, checkpoints and limits, how the ranks are
/// laid out (rounding aside), where the data lie (data_fingerprint judges them by what is in them),
/// and another number of epochs, if the learning rate does not depend on it and the `epochs_done`
/// are not more. Throws InputError where `before` is no configuration.
[[nodiscard]] std::vector<std::string> config_changes(const std::string& before, const Config& now,
                                                      std::uint64_t epochs_done);

/// Those of them that somebody has made: not of options that the data decided then and decide now,
/// which differ where the data do.
[[nodiscard]] std::vector<std::string> given_changes(const std::string& before, const Config& now,
                                                     std::uint64_t epochs_done);

/// The line for a setting: "seed: was 1, is 7".
[[nodiscard]] std::string describe_change(const std::string& option,
                                          const nlohmann::ordered_json& before,
                                          const nlohmann::ordered_json& now);

}  // namespace dnn
