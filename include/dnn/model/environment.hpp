#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace dnn {

/// What the last bits of a run depend on besides its options, its data and its ranks: the program,
/// the libraries, the processors. Recorded with what a run writes, so that a user who finds two
/// results different knows what to look at.
class Environment {
 public:
  /// Nothing is known.
  Environment() = default;

  /// Of facts: names and values.
  explicit Environment(std::vector<std::pair<std::string, std::string>> facts)
      : facts_(std::move(facts)) {}

  /// The name of products that are taken in `products`, in order (see DenseProducts).
  [[nodiscard]] static std::string name_of_ordered(const std::string& products);

  /// What to_text() gave; of any other text, what can be understood of it.
  [[nodiscard]] static Environment parse(const std::string& text);
  /// One line of JSON: an object of texts; empty where nothing is known.
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] nlohmann::ordered_json to_json() const;

  /// A line for each fact that both know and that is another one in `other`, with both values.
  /// Where both have taken products in order, the libraries' facts are left out: they had no part.
  [[nodiscard]] std::vector<std::string> differences(const Environment& other) const;

  /// Names and values.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& facts() const {
    return facts_;
  }

 private:
  [[nodiscard]] bool has_dense_products() const;

  std::vector<std::pair<std::string, std::string>> facts_;
};

}  // namespace dnn
