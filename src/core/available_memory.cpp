#include "dnn/core/available_memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

#include "dnn/core/control_groups.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

std::size_t difference(std::size_t limit, std::size_t used) {
  return limit > used ? limit - used : 0;
}

/// The number that a file consists of; none for "max" or a file that is not there.
std::optional<std::size_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::size_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

/// The number after `key` in a file of lines "key number", or 0.
std::size_t value_in(const fs::path& path, const std::string& key) {
  std::ifstream file(path);
  std::string name;
  for (std::string line; file >> name;) {
    if (name == key) {
      std::size_t value = 0;
      file >> value;
      return value;
    }
    std::getline(file, line);
  }
  return 0;
}

/// The files of a control group, which versions 1 and 2 name differently.
struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* prefix;  ///< of the keys in memory.stat
};

constexpr GroupFiles version_1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_"};
constexpr GroupFiles version_2 = {"memory.max", "memory.current", ""};

/// What one control group leaves.
std::size_t left_in_group(const fs::path& group, const GroupFiles& files) {
  const std::optional<std::size_t> limit = number_in(group / files.limit);
  const std::optional<std::size_t> usage = number_in(group / files.usage);
  if (!limit || !usage) {
    return unlimited;
  }
  const std::string prefix = files.prefix;
  const fs::path statistics = group / "memory.stat";
  const std::size_t caches =
      value_in(statistics, prefix + "inactive_file") + value_in(statistics, prefix + "active_file");
  return difference(*limit, difference(*usage, caches));
}

std::size_t left_in_control_groups(const fs::path& root) {
  std::size_t least = unlimited;
  for (const ControlGroup& group : control_groups(root, "memory")) {
    least =
        std::min(least, left_in_group(group.folder, group.version == 2 ? version_2 : version_1));
  }
  return least;
}

std::size_t left_of_address_space(const fs::path& root) {
  rlimit limit{};
  const std::optional<std::size_t> pages = number_in(root / "proc/self/statm");
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || !pages) {
    return unlimited;
  }
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGE_SIZE));
  return difference(limit.rlim_cur, *pages * page);
}

}  // namespace

std::size_t available_to_host(const std::string& root) {
  const std::size_t kib = value_in(fs::path(root) / "proc/meminfo", "MemAvailable:");
  return kib == 0 ? unlimited : 1024 * kib;
}

std::size_t available_to_groups(const std::string& root) {
  return std::min(available_to_host(root), left_in_control_groups(root));
}

/// Containers may call their groups alike, but see other folders.
std::string memory_groups(const std::string& root) {
  std::ifstream file(fs::path(root) / "proc/self/cgroup");
  std::string groups{std::istreambuf_iterator<char>(file), {}};
  for (const char* mount : {"sys/fs/cgroup", "sys/fs/cgroup/memory"}) {
    struct stat status {};
    (void)::stat((fs::path(root) / mount).c_str(), &status);
    groups += fmt::format("{}:{}\n", status.st_dev, status.st_ino);
  }
  return groups;
}

std::size_t available_memory(const std::string& root) {
  return std::min(available_to_groups(root), left_of_address_space(root));
}

std::size_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

std::size_t resident_memory() {
  std::ifstream file("/proc/self/statm");
  std::size_t whole = 0;
  std::size_t resident = 0;
  file >> whole >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGE_SIZE));
}

void require_memory(std::size_t bytes, const std::string& purpose) {
  constexpr std::size_t always_there = std::size_t{1} << 20;  // to ask opens some twenty files
  if (bytes < always_there) {
    return;
  }
  const std::size_t available = available_memory();
  if (bytes > available) {
    throw InputError(fmt::format(
        "{} needs {} of memory, but this job may use {} more; ask the batch system for more memory",
        purpose, size_text(bytes), size_text(available)));
  }
}

std::string size_text(std::size_t bytes) {
  constexpr double mib = 1 << 20;
  constexpr double gib = 1 << 30;
  const auto size = static_cast<double>(bytes);
  if (size < mib) {
    return fmt::format("{:.1f} KiB", size / 1024);
  }
  return size < gib ? fmt::format("{:.1f} MiB", size / mib) : fmt::format("{:.1f} GiB", size / gib);
}

}  // namespace dnn
