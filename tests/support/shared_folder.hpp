#pragma once

#include <optional>
#include <string>

#include "support/mpi_world.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {

/// A temporary folder of rank 0's, known to all ranks. Making and ending it are collective.
class SharedFolder {
 public:
  SharedFolder() {
    if (world().is_root()) {
      folder_.emplace();
    }
    path_ = world().broadcast(folder_ ? folder_->path() : std::string(), 0);
  }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  ~SharedFolder() { world().barrier(); }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Collective: rank 0 writes a file; returns its path when it is there.
  [[nodiscard]] std::string write(const std::string& name, const std::string& contents) const {
    if (folder_) {
      folder_->write(name, contents);
    }
    world().barrier();
    return path_ + "/" + name;
  }

 private:
  std::optional<TemporaryFolder> folder_;
  std::string path_;
};

}  // namespace dnn::test
