#include "dnn/plan/gather_environment.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "dnn/core/program_name.hpp"
#include "dnn/products/arithmetic.hpp"

namespace dnn {

Environment gather_environment(const Communicator& world, const std::string& products) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"program", program_name}, {"products", products}, {"mpi", mpi_library()}};
  for (auto& fact : describe_arithmetic()) {
    facts.push_back(std::move(fact));
  }
  std::vector<std::vector<std::string>> values(facts.size());  // of each fact, once each
  for (const std::string& text : world.gather(Environment(facts).to_text(), 0)) {
    const Environment of_rank = Environment::parse(text);
    for (std::size_t i = 0; i < of_rank.facts().size() && i < values.size(); ++i) {
      const std::string& value = of_rank.facts()[i].second;
      if (std::find(values[i].begin(), values[i].end(), value) == values[i].end()) {
        values[i].push_back(value);
      }
    }
  }
  for (std::size_t i = 0; i < values.size() && world.is_root(); ++i) {
    std::string& value = facts[i].second;
    value.clear();
    for (const std::string& of_some : values[i]) {
      value += (value.empty() ? "" : "; ") + of_some;
    }
  }
  return Environment::parse(world.broadcast(Environment(facts).to_text(), 0));
}

}  // namespace dnn
