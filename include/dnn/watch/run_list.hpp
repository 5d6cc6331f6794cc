#pragma once

#include <string>
#include <vector>

namespace dnn {

/// The runs in a folder: the folder itself, named ".", if it holds a run, else the folders in it
/// that do, by name. What a symbolic link leads out of the folder is no run of it.
class RunList {
 public:
  /// Throws InputError where there is no such folder.
  explicit RunList(const std::string& folder);

  /// As they are now, sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  /// The folder of a run; throws InputError for a name that is not one of names().
  [[nodiscard]] std::string folder_of(const std::string& name) const;

 private:
  std::string folder_;  ///< canonical
};

/// What changes whenever a file of a run that its report is made of does.
[[nodiscard]] std::string version_of_run(const std::string& folder);

}  // namespace dnn
