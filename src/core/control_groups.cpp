#include "dnn/core/control_groups.hpp"

#include <filesystem>
#include <fstream>

namespace dnn {

namespace {

namespace fs = std::filesystem;

/// Adds the group at `path` below `mount`, and the groups around it.
void add_groups(const fs::path& mount, const std::string& path, int version,
                std::vector<ControlGroup>& groups) {
  groups.push_back({mount.string(), version});
  for (fs::path group = fs::path(path).relative_path(); !group.empty();
       group = group.parent_path()) {
    groups.push_back({(mount / group).string(), version});
  }
}

}  // namespace

std::vector<ControlGroup> control_groups(const std::string& root, std::string_view controller) {
  const fs::path mounts = fs::path(root) / "sys/fs/cgroup";
  std::vector<ControlGroup> groups;
  std::ifstream file(fs::path(root) / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    // Each line is "number:controllers:path"; version 2 has the number 0 and names no controller.
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    if (controllers == ",,") {
      add_groups(mounts, path, 2, groups);
    } else if (controllers.find("," + std::string(controller) + ",") != std::string::npos) {
      add_groups(mounts / controller, path, 1, groups);
    }
  }
  return groups;
}

}  // namespace dnn
