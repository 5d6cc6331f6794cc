#include "dnn/store/data_access.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/message.hpp"

namespace dnn {

namespace {

/// A file as one host sees it.
struct SeenFile {
  std::string path;
  FileStamp::Mark mark;
};

struct Host {
  std::string name;
  std::vector<SeenFile> files;
};

std::string message_of(const std::vector<FileStamp>& stamps) {
  std::size_t files = 0;
  for (const FileStamp& stamp : stamps) {
    files += stamp.mark().is_file ? 1 : 0;
  }
  MessageWriter message;
  message.add_text(host_name());
  message.add(files);
  for (const FileStamp& stamp : stamps) {
    if (stamp.mark().is_file) {
      message.add_text(stamp.path());
      message.add(stamp.mark());
    }
  }
  return message.take();
}

Host host_of(const std::string& message) {
  MessageReader reader(message);
  Host host{std::string(reader.next_text()), {}};
  for (auto left = reader.next<std::size_t>(); left > 0; --left) {
    const std::string path(reader.next_text());
    host.files.push_back({path, reader.next<FileStamp::Mark>()});
  }
  return host;
}

/// What differs in contents between the files of two hosts, as far as size and time tell.
std::string content_difference(const Host& a, const Host& b) {
  if (a.files.size() != b.files.size()) {
    return fmt::format("{} files on {}, {} on {}", a.files.size(), a.name, b.files.size(), b.name);
  }
  for (std::size_t i = 0; i < a.files.size(); ++i) {
    const auto& [path, on_a] = a.files[i];
    const auto& [other, on_b] = b.files[i];
    if (path != other) {
      return fmt::format("{} on {}, {} on {}", path, a.name, other, b.name);
    }
    if (on_a.size != on_b.size) {
      return fmt::format("{} has {} bytes on {}, {} on {}", path, on_a.size, a.name, on_b.size,
                         b.name);
    }
    if (on_a.seconds != on_b.seconds || on_a.nanoseconds != on_b.nanoseconds) {
      return fmt::format("{} was written at {}.{:09} s on {}, at {}.{:09} s on {}", path,
                         on_a.seconds, on_a.nanoseconds, a.name, on_b.seconds, on_b.nanoseconds,
                         b.name);
    }
  }
  return {};
}

/// The first file that is another one on another host, with the same size and time: a copy.
std::string copy_difference(const Host& a, const Host& b) {
  for (std::size_t i = 0; i < a.files.size(); ++i) {
    if (a.files[i].mark.number != b.files[i].mark.number) {
      return fmt::format("{} is file {} on {}, file {} on {}", a.files[i].path,
                         a.files[i].mark.number, a.name, b.files[i].mark.number, b.name);
    }
  }
  return {};
}

}  // namespace

FileAccess find_access(const ReadingTeam& team, const std::vector<FileStamp>& stamps,
                       DataAccess wanted) {
  if (team.is_alone() || wanted == DataAccess::local) {
    return {};
  }
  std::vector<Host> hosts;
  for (const std::string& message : team.exchange(message_of(stamps))) {
    hosts.push_back(host_of(message));
  }
  FileAccess access{!hosts.front().files.empty(), {}};
  for (const Host& host : hosts) {
    const std::string contents = content_difference(hosts.front(), host);
    if (wanted == DataAccess::shared && !contents.empty()) {
      throw InputError(
          fmt::format("--data-access shared: the hosts see different files: {}; copy the same "
                      "files to a folder "
                      "that all of them see, or give --data-access local",
                      contents));
    }
    const std::string difference = wanted == DataAccess::shared || !contents.empty()
                                       ? contents
                                       : copy_difference(hosts.front(), host);
    if (!difference.empty()) {
      return {false, difference};
    }
  }
  return access;
}

}  // namespace dnn
