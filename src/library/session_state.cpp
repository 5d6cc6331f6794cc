#include "dnn/library/session_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
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

json one_binary(std::span<const std::byte> bytes) {
  std::vector<std::uint8_t> copy(bytes.size());
  copy_bytes(copy.data(), bytes.data(), bytes.size());
  return json::binary(std::move(copy));
}

/// See Note [State of a trainer].
json binary(std::span<const std::byte> bytes, std::size_t piece) {
  if (bytes.size() <= piece) {
    return one_binary(bytes);
  }
  json pieces = json::array();
  for (std::size_t done = 0; done < bytes.size(); done += piece) {
    pieces.push_back(one_binary(bytes.subspan(done, std::min(piece, bytes.size() - done))));
  }
  return pieces;
}

template <class T>
json binary(const std::vector<T>& numbers, std::size_t piece) {
  return binary(std::as_bytes(std::span(numbers)), piece);
}

template <class T>
std::vector<T> numbers(const json& value) {
  std::vector<const json::binary_t*> pieces;
  if (value.is_array()) {
    for (const json& piece : value) {
      pieces.push_back(&piece.get_binary());
    }
  } else {
    pieces.push_back(&value.get_binary());
  }
  std::size_t bytes = 0;
  for (const json::binary_t* piece : pieces) {
    bytes += piece->size();
  }
  std::vector<T> copy(bytes / sizeof(T));
  std::span<std::byte> rest = std::as_writable_bytes(std::span(copy));
  for (const json::binary_t* piece : pieces) {
    const std::size_t count = std::min(piece->size(), rest.size());
    copy_bytes(rest.data(), piece->data(), count);
    rest = rest.subspan(count);
  }
  return copy;
}

json to_json(const Checkpoint& steps, std::size_t piece) {
  json tensors = json::array();
  for (const auto& tensor : steps.optimizer_state) {
    tensors.push_back(binary(tensor, piece));
  }
  json residuals = json::array();
  for (const std::string& residual : steps.residuals) {
    residuals.push_back(binary(std::as_bytes(std::span(residual)), piece));
  }
  return {{"widths", steps.widths},
          {"precision", static_cast<int>(steps.precision)},
          {"parameters", binary(steps.parameters, piece)},
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

std::string packed(const SampleStore::Contents& samples, std::size_t piece) {
  const json value = {{"form", to_json(samples.records.form)},
                      {"bytes", binary(samples.records.bytes, piece)},
                      {"updates", binary(samples.updates, piece)}};
  std::string text;
  json::to_msgpack(value, text);
  return text;
}

SampleStore::Contents samples_from(const json& value) {
  SampleStore::Contents samples;
  samples.records.form = form_from(value.at("form"));
  samples.records.bytes = numbers<std::byte>(value.at("bytes"));
  samples.updates = numbers<std::uint64_t>(value.at("updates"));
  if (samples.records.bytes.size() != samples.updates.size() * samples.records.form.bytes()) {
    throw InputError("the state contradicts itself: samples of the store");
  }
  return samples;
}

/// The samples of a state, which other ranks may have had, by the rank whose they are to be; the
/// form of all of them is each rank's.
std::vector<SampleStore::Contents> samples_by_home(const json& parts, std::size_t ranks) {
  std::vector<SampleStore::Contents> homes(ranks);
  for (const json& value : parts) {
    const SampleStore::Contents part = samples_from(value);
    for (std::size_t i = 0; i < part.updates.size(); ++i) {
      SampleStore::Contents& home = homes[SampleStore::home_of(part.records.id(i), ranks)];
      home.records.add(part.records.record(i));
      home.updates.push_back(part.updates[i]);
    }
    if (!part.updates.empty()) {
      homes.front().records.form = part.records.form;
    }
  }
  for (SampleStore::Contents& home : homes) {
    home.records.form = homes.front().records.form;
  }
  return homes;
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

json parse(std::span<const std::byte> bytes) {
  const auto body = checked(bytes);
  const auto* const first = reinterpret_cast<const char*>(body.data());
  try {
    json state = json::from_msgpack(first, first + body.size());
    if (state.at("version") != 1) {
      throw InputError("the state is of a newer version of dnn_train");
    }
    return state;
  } catch (const json::exception& error) {
    throw InputError(fmt::format("the state cannot be read: {}", error.what()));
  }
}

/// `stores`: the packed samples of all ranks, where there is a store.
std::vector<std::byte> packed(const SessionState& state, const std::vector<std::string>& stores,
                              std::size_t piece) {
  json all = {{"version", 1},
              {"updates", state.updates},
              {"learning_rate", state.learning_rate},
              {"optimizer", static_cast<int>(state.optimizer)},
              {"model", describe_model(state.model.description)},
              {"parameters", binary(state.model.parameters, piece)}};
  if (state.store) {
    json parts = json::array();
    for (const std::string& store : stores) {
      parts.push_back(json::from_msgpack(store));
    }
    all["store"] = std::move(parts);
  }
  if (state.steps) {
    all["steps"] = to_json(*state.steps, piece);
  }
  const auto text = json::to_msgpack(all);
  std::vector<std::byte> bytes(text.size());
  copy_bytes(bytes.data(), text.data(), text.size());
  const Sha256::Digest digest = sha256(bytes);
  const auto tail = std::as_bytes(std::span(digest));
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  return bytes;
}

/// A state, and the samples of its store by their ranks.
struct ReadState {
  SessionState state;
  std::vector<SampleStore::Contents> stores;
};

/// Throws InputError for bytes that are none, or none for `settings`.
ReadState read_state(std::span<const std::byte> bytes, const LibrarySettings& settings,
                     std::size_t ranks) {
  const json all = parse(bytes);
  ReadState read;
  SessionState& state = read.state;
  try {
    state.model = parse_model(all.at("model"), numbers<std::byte>(all.at("parameters")), origin);
    state.updates = all.at("updates");
    state.learning_rate = all.at("learning_rate");
    state.optimizer = static_cast<OptimizerKind>(all.at("optimizer").get<int>());
    if (all.contains("steps")) {
      state.steps = steps_from(all.at("steps"));
    }
    if (all.contains("store")) {
      read.stores = samples_by_home(all.at("store"), ranks);
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
  if (read.stores.empty() != (settings.store == 0)) {
    throw InputError(read.stores.empty()
                         ? "the state has no store of samples; leave the option store out"
                         : "the state has a store of samples; give the option store");
  }
  return read;
}

}  // namespace

std::vector<std::byte> gather_state(const Communicator& world, const SessionState& state,
                                    std::size_t piece) {
  std::vector<std::string> stores;
  if (state.store) {
    stores = world.gather(agree(world, [&] { return packed(*state.store, piece); }), 0);
  }
  return agree(world, [&] {
    return world.is_root() ? packed(state, stores, piece) : std::vector<std::byte>();
  });
}

SessionState scatter_state(const Communicator& world, const std::vector<std::byte>& bytes,
                           const LibrarySettings& settings) {
  const auto ranks = static_cast<std::size_t>(world.size());
  std::vector<std::string> stores;
  SessionState state = agree(world, [&] {
    if (!world.is_root()) {
      return SessionState{};
    }
    ReadState read = read_state(bytes, settings, ranks);
    for (const SampleStore::Contents& store : read.stores) {
      stores.push_back(packed(store, largest_piece));
    }
    return std::move(read.state);
  });
  state.model = broadcast_model(world, std::move(state.model), origin);
  std::array<std::uint64_t, 3> words = {state.updates,
                                        std::bit_cast<std::uint64_t>(state.learning_rate),
                                        state.steps ? std::uint64_t{1} : 0};
  world.broadcast(std::as_writable_bytes(std::span(words)), 0);
  state.updates = words[0];
  state.learning_rate = std::bit_cast<double>(words[1]);
  if (words[2] != 0 && !state.steps) {
    state.steps.emplace();
  }
  if (settings.store > 0) {
    const std::string own = world.scatter(stores, 0);
    state.store = agree(world, [&] { return samples_from(json::from_msgpack(own)); });
  }
  return state;
}

}  // namespace dnn
