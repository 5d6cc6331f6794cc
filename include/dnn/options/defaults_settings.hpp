#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace dnn {

/// Where the values of options come from that nobody has given.
enum class Defaults {
  automatic,  ///< from the data, see choose_defaults
  plain       ///< the same for all data
};

/// A value that was chosen for an option, and why.
struct ChosenValue {
  std::string option;
  std::string value;  ///< as on the command line
  std::string reason;
};

/// Which options are given, and what was chosen for the others.
struct DefaultsSettings {
  /// A Config that no command line has filled has the plain defaults.
  Defaults defaults = Defaults::plain;
  std::set<std::string> given;      ///< options of the command line or the configuration file
  std::size_t length_splits = 0;    ///< epochs are to be found on so many splits; 0: they are known
  bool resolved = false;            ///< the data have been seen: nothing is open any more
  std::vector<ChosenValue> chosen;  ///< then
};

}  // namespace dnn
