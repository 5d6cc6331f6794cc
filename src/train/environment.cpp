#include "dnn/train/environment.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "dnn/nn/arithmetic.hpp"
#include "dnn/train/program_name.hpp"

namespace dnn {

using Json = nlohmann::ordered_json;

namespace {

constexpr const char* in_order = ", in order";
constexpr std::array library_facts = {"onednn", "onednn_isa", "blas"};

}  // namespace

std::string Environment::name_of_ordered(const std::string& products) {
  return products + in_order;
}

Environment Environment::gather(const Communicator& world, const std::string& products) {
  Environment own;
  own.facts_ = {{"program", program_name}, {"products", products}, {"mpi", mpi_library()}};
  for (auto& fact : describe_arithmetic()) {
    own.facts_.push_back(std::move(fact));
  }
  std::vector<std::vector<std::string>> values(own.facts_.size());  // of each fact, once each
  for (const std::string& text : world.gather(own.to_text(), 0)) {
    const Environment of_rank = parse(text);
    for (std::size_t i = 0; i < of_rank.facts_.size() && i < values.size(); ++i) {
      const std::string& value = of_rank.facts_[i].second;
      if (std::find(values[i].begin(), values[i].end(), value) == values[i].end()) {
        values[i].push_back(value);
      }
    }
  }
  for (std::size_t i = 0; i < values.size() && world.is_root(); ++i) {
    std::string& value = own.facts_[i].second;
    value.clear();
    for (const std::string& of_some : values[i]) {
      value += (value.empty() ? "" : "; ") + of_some;
    }
  }
  return parse(world.broadcast(own.to_text(), 0));
}

Environment Environment::parse(const std::string& text) {
  Environment environment;
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) {
    for (const auto& [name, value] : json.items()) {
      if (value.is_string()) {
        environment.facts_.emplace_back(name, value.get<std::string>());
      }
    }
  }
  return environment;
}

std::string Environment::to_text() const {
  return facts_.empty() ? std::string()
                        : to_json().dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json Environment::to_json() const {
  Json json = Json::object();
  for (const auto& [name, value] : facts_) {
    json[name] = value;
  }
  return json;
}

bool Environment::has_ordered_products() const {
  return std::any_of(facts_.begin(), facts_.end(), [](const auto& fact) {
    return fact.first == "products" && fact.second.find(in_order) != std::string::npos;
  });
}

std::vector<std::string> Environment::differences(const Environment& other) const {
  std::vector<std::string> lines;
  const bool no_libraries = has_ordered_products() && other.has_ordered_products();
  for (const auto& [name, value] : facts_) {
    if (no_libraries &&
        std::find(library_facts.begin(), library_facts.end(), name) != library_facts.end()) {
      continue;
    }
    const auto found = std::find_if(other.facts_.begin(), other.facts_.end(),
                                    [&key = name](const auto& fact) { return fact.first == key; });
    if (found != other.facts_.end() && found->second != value) {
      lines.push_back(name + ": " + value + " against " + found->second);
    }
  }
  return lines;
}

}  // namespace dnn
