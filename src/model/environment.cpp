#include "dnn/model/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace dnn {

using Json = nlohmann::ordered_json;

namespace {

constexpr const char* in_order = ", in order";
constexpr std::array library_facts = {"onednn", "onednn_isa", "blas"};  // of older runs, too

}  // namespace

std::string Environment::name_of_ordered(const std::string& products) {
  return products + in_order;
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

bool Environment::has_dense_products() const {
  return std::any_of(facts_.begin(), facts_.end(), [](const auto& fact) {
    return fact.first == "products" && fact.second.find(in_order) != std::string::npos;
  });
}

std::vector<std::string> Environment::differences(const Environment& other) const {
  std::vector<std::string> lines;
  const bool no_libraries = has_dense_products() && other.has_dense_products();
  for (const auto& [name, value] : facts_) {
    if (no_libraries &&
        std::find(library_facts.begin(), library_facts.end(), name) != library_facts.end()) {
      continue;
    }
    const auto found = std::find_if(other.facts_.begin(), other.facts_.end(),
                                    [&key = name](const auto& fact) { return fact.first == key; });
    if (found != other.facts_.end() && found->second != value) {
      lines.push_back(fmt::format("{}: {} against {}", name, value, found->second));
    }
  }
  return lines;
}

}  // namespace dnn
