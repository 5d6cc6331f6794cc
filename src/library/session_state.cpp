#include "dnn/library/session_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/sha256.hpp"
#include "dnn/library/fit_samples.hpp"

namespace dnn {

namespace {

using nlohmann::json;

constexpr const char* origin = "the state";

template <class T>
json binary(const std::vector<T>& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers));
  std::vector<std::uint8_t> copy(bytes.size());
  copy_bytes(copy.data(), bytes.data(), bytes.size());
  return json::binary(std::move(copy));
}

template <class T>
std::vector<T> numbers(const json& value) {
  const auto& bytes = value.get_binary();
  std::vector<T> copy(bytes.size() / sizeof(T));
  copy_bytes(copy.data(), bytes.data(), copy.size() * sizeof(T));
  return copy;
}

json to_json(const Checkpoint& steps) {
  json tensors = json::array();
  for (const auto& tensor : steps.optimizer_state) {
    tensors.push_back(binary(tensor));
  }
  json residuals = json::array();
  for (const std::string& residual : steps.residuals) {
    residuals.push_back(binary(std::vector<char>(residual.begin(), residual.end())));
  }
  return {{"widths", steps.widths},
          {"precision", static_cast<int>(steps.precision)},
          {"parameters", binary(steps.parameters)},
          {"optimizer_steps", steps.optimizer_steps},
          {"optimizer_state", std::move(tensors)},
          {"residuals", std::move(residuals)}};
}

Checkpoint steps_from(const json& value) {
  Checkpoint steps;
  steps.widths = value.at("widths").get<std::vector<std::uint64_t>>();
  steps.precision = static_cast<Precision>(value.at("precision").get<int>());
  steps.parameters = numbers<std::byte>(value.at("parameters"));
  steps.optimizer_steps = value.at("optimizer_steps");
  for (const json& tensor : value.at("optimizer_state")) {
    steps.optimizer_state.push_back(numbers<std::byte>(tensor));
    if (steps.optimizer_state.back().size() != steps.parameters.size()) {
      throw InputError("the state contradicts itself: sizes of tensors");
    }
  }
  for (const json& residual : value.at("residuals")) {
    const auto bytes = numbers<char>(residual);
    steps.residuals.emplace_back(bytes.begin(), bytes.end());
  }
  return steps;
}

json to_json(const RecordForm& form) {
  return {{"features", form.features},
          {"wide", form.wide},
          {"targets", form.targets},
          {"has_class", form.has_class},
          {"has_weight", form.has_weight}};
}

RecordForm form_from(const json& value) {
  return {value.at("features"), value.at("wide"), value.at("targets"), value.at("has_class"),
          value.at("has_weight")};
}

/// Collective over `world`: on rank 0, the samples of all ranks.
json gather_store(const Communicator& world, const SampleStore::Contents& own) {
  const json mine = {{"form", to_json(own.records.form)},
                     {"bytes", binary(own.records.bytes)},
                     {"updates", binary(own.updates)}};
  const auto packed = json::to_msgpack(mine);
  json parts = json::array();
  for (const std::string& part : world.gather({packed.begin(), packed.end()}, 0)) {
    parts.push_back(json::from_msgpack(part));
  }
  return parts;
}

SampleStore::Contents store_from(const json& parts) {
  SampleStore::Contents all;
  for (const json& part : parts) {
    const RecordForm form = form_from(part.at("form"));
    const auto updates = numbers<std::uint64_t>(part.at("updates"));
    const auto bytes = numbers<std::byte>(part.at("bytes"));
    if (bytes.size() != updates.size() * form.bytes()) {
      throw InputError("the state contradicts itself: samples of the store");
    }
    if (!updates.empty()) {
      all.records.form = form;
    }
    all.records.bytes.insert(all.records.bytes.end(), bytes.begin(), bytes.end());
    all.updates.insert(all.updates.end(), updates.begin(), updates.end());
  }
  return all;
}

/// Without the checksum. Throws InputError where it does not fit.
std::span<const std::byte> checked(std::span<const std::byte> bytes) {
  constexpr std::size_t digest = sizeof(Sha256::Digest);
  if (bytes.size() <= digest) {
    throw InputError(fmt::format("{} bytes are no state of a trainer", bytes.size()));
  }
  const auto body = bytes.first(bytes.size() - digest);
  const Sha256::Digest found = sha256(body);
  if (!std::ranges::equal(std::as_bytes(std::span(found)), bytes.last(digest))) {
    throw InputError("the state is damaged, or none of a trainer: its checksum does not fit");
  }
  return body;
}

json parse(const std::string& bytes) {
  const auto body = checked(std::as_bytes(std::span(bytes)));
  try {
    json state = json::from_msgpack(bytes.substr(0, body.size()));
    if (state.at("version") != 1) {
      throw InputError("the state is of a newer version of dnn_train");
    }
    return state;
  } catch (const json::exception& error) {
    throw InputError(fmt::format("the state cannot be read: {}", error.what()));
  }
}

}  // namespace

std::vector<std::byte> gather_state(const Communicator& world, const SessionState& state) {
  json all = {{"version", 1},
              {"updates", state.updates},
              {"learning_rate", state.learning_rate},
              {"optimizer", static_cast<int>(state.optimizer)},
              {"model", describe_model(state.model.description)}};
  if (state.store) {
    all["store"] = gather_store(world, *state.store);
  }
  if (!world.is_root()) {
    return {};
  }
  all["parameters"] = binary(state.model.parameters);
  if (state.steps) {
    all["steps"] = to_json(*state.steps);
  }
  const auto packed = json::to_msgpack(all);
  std::vector<std::byte> bytes(packed.size());
  copy_bytes(bytes.data(), packed.data(), packed.size());
  const Sha256::Digest digest = sha256(bytes);
  const auto tail = std::as_bytes(std::span(digest));
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  return bytes;
}

SessionState scatter_state(const Communicator& world, const std::vector<std::byte>& bytes,
                           const LibrarySettings& settings) {
  const std::string text =
      world.broadcast(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), 0);
  return agree(world, [&] {
    const json all = parse(text);
    SessionState state;
    try {
      state.model = parse_model(all.at("model"), numbers<std::byte>(all.at("parameters")), origin);
      state.updates = all.at("updates");
      state.learning_rate = all.at("learning_rate");
      state.optimizer = static_cast<OptimizerKind>(all.at("optimizer").get<int>());
      if (all.contains("steps")) {
        state.steps = steps_from(all.at("steps"));
      }
      if (all.contains("store")) {
        state.store = store_from(all.at("store"));
      }
    } catch (const json::exception& error) {
      throw InputError(fmt::format("the state cannot be read: {}", error.what()));
    }
    if (state.model.description.precision != stored_as(settings.config.precision)) {
      throw InputError("the state has another precision than the options say");
    }
    if (state.steps && state.optimizer != settings.config.optimizer) {
      throw InputError("the state has another optimizer than the options say");
    }
    if (state.steps && state.steps->widths != state.model.description.widths) {
      throw InputError("the state contradicts itself: widths of the network");
    }
    if (state.store.has_value() != (settings.store > 0)) {
      throw InputError(state.store
                           ? "the state has a store of samples; give the option store"
                           : "the state has no store of samples; leave the option store out");
    }
    return state;
  });
}

}  // namespace dnn
