#include "dnn/options/config.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/options/config_file.hpp"
#include "dnn/options/option_table.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

/// JSON's numbers, truth values and arrays of them are TOML's as well.
std::string toml_value(const Json& value) {
  // TOML's integers are signed.
  const bool is_too_large = value.is_number_unsigned() &&
                            value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  return value.is_string() ? toml_string(value.get<std::string>())
         : is_too_large    ? '"' + value.dump() + '"'
                           : value.dump();
}

/// For each option that the data choose, why.
Json reasons(const Config& config) {
  Json reasons = Json::object();
  for (const Option& option : option_table()) {
    if (is_open(config, option.name)) {
      reasons[option.name] = config.resolved ? "as with --defaults plain" : "follows from the data";
    }
  }
  for (const ChosenValue& chosen : config.chosen) {
    reasons[chosen.option] = chosen.reason;
  }
  return reasons;
}

}  // namespace

bool has_fixed_order(const Config& config) {
  return config.precision != Precision::bf16 && config.compress == Compression::none;
}

bool folds_go_side_by_side(const Config& config) {
  return has_fixed_order(config) && config.exchange != ExchangeKind::allreduce &&
         config.model_parallel == 1;
}

void check(const Config& config) {
  for (const Option& option : option_table()) {
    const std::string broken = option.broken_rule ? option.broken_rule(config) : std::string();
    if (!broken.empty()) {
      throw InputError(fmt::format("--{} {}: {}", option.name, text_of(option, config), broken));
    }
  }
}

Json to_json(const Config& config) {
  Json json = Json::object();
  for (const Option& option : option_table()) {
    json[option.name] = option.effective ? option.effective(config) : value_of(option, config);
  }
  if (Json chosen = reasons(config); !chosen.empty()) {
    json["chosen"] = std::move(chosen);
  }
  return json;
}

std::vector<HyperParameter> hyperparameters(const Config& config) {
  std::vector<HyperParameter> found;
  for (const Option& option : option_table()) {
    const Json value = option.effective ? option.effective(config) : value_of(option, config);
    const bool counts =
        option.group == "Data" || option.group == "Network" || option.group == "Training";
    if (!counts || value.is_null()) {
      continue;
    }
    if (value.is_boolean()) {
      found.push_back({option.name, value.get<bool>()});
    } else if (value.is_number()) {
      found.push_back({option.name, value.get<double>()});
    } else {
      found.push_back(
          {option.name, value.is_string() ? value.get<std::string>() : text_of(option, config)});
    }
  }
  return found;
}

std::string to_toml(const Config& config) {
  const Json values = to_json(config);
  std::string text;
  for (const auto& [key, value] : values.items()) {
    if (key == "chosen") {
      continue;
    }
    // An unset batch size is the data's where they are few; the default said aloud would be an
    // error.
    const bool unset =
        (key == "batch-size" && !config.batch_size) || (is_open(config, key) && !config.resolved);
    text += (unset ? "# " : "") + key + " = " + toml_value(value) + "\n";
  }
  return text;
}

Provenance provenance_of(const Config& config, const Environment& environment) {
  // Bytes of a path that are no UTF-8 become question marks rather than an exception.
  return {to_json(config).dump(-1, ' ', false, Json::error_handler_t::replace), to_toml(config),
          environment};
}

}  // namespace dnn
