#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dnn/options/config.hpp"

namespace dnn {

/// Which samples a store of limited size keeps, see SampleStore.
enum class StoreKeeps { sample, newest };

/// What the options of a Trainer say.
struct LibrarySettings {
  Config config;
  std::size_t classes = 0;  ///< of the network; 0: as many as the first samples have
  std::vector<std::string> class_names;
  std::vector<std::string> feature_names;
  std::size_t store = 0;  ///< samples; 0: there is no store
  StoreKeeps store_keeps = StoreKeeps::sample;

  /// The samples that a step with a store is made from.
  [[nodiscard]] std::size_t drawn() const { return config.batch_size.value_or(256); }

  /// Reads TOML text. Throws InputError for what is none, for a key that no option has (naming the
  /// nearest), for an option of the programs alone, and for a value that cannot be used.
  [[nodiscard]] static LibrarySettings parse(const std::string& toml);
};

}  // namespace dnn
