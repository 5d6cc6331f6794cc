#include "dnn/files/stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"
#include "dnn/files/growing_bytes.hpp"

namespace dnn {

namespace {

bool status_of(const std::string& path, struct stat& status) {
  return path == standard_input ? ::fstat(STDIN_FILENO, &status) == 0
                                : ::stat(path.c_str(), &status) == 0;
}

/// Device and number of what lies behind a path: the same for two names of one pipe.
std::pair<dev_t, ino_t> identity(const std::string& path) {
  struct stat status {};
  return status_of(path, status) ? std::pair(status.st_dev, status.st_ino)
                                 : std::pair(dev_t{0}, ino_t{0});
}

/// The stream at the beginning of `path`, which may name a member of it, as in pipe:x; or nothing.
std::string stream_of(const std::string& path) {
  for (std::size_t colon = path.find(':');; colon = path.find(':', colon + 1)) {
    std::string beginning = path.substr(0, colon);
    if (is_stream(beginning)) {
      return beginning;
    }
    if (colon == std::string::npos) {
      return {};
    }
  }
}

/// The streams among the paths of a source, which may be two paths with a comma between.
std::vector<std::string> streams_of(const std::string& source) {
  const std::size_t comma = source.find(',');
  std::vector<std::string> streams = {stream_of(source.substr(0, comma))};
  if (comma != std::string::npos) {
    streams.push_back(stream_of(source.substr(comma + 1)));
  }
  std::erase(streams, "");
  return streams;
}

}  // namespace

bool is_stream(const std::string& path) {
  struct stat status {};
  return path == standard_input || (status_of(path, status) && S_ISFIFO(status.st_mode));
}

std::string name_of(const std::string& path) {
  return path == standard_input ? "standard input" : path;
}

Bytes read_stream(const std::string& path) {
  const std::string name = name_of(path);
  const bool is_standard_input = path == standard_input;
  const Descriptor opened{is_standard_input ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  const int descriptor = is_standard_input ? STDIN_FILENO : opened.value();
  if (descriptor < 0) {
    throw FileError("read", name, errno);
  }
  if (::isatty(descriptor) == 1) {
    throw InputError(name + " is a terminal; send the data into it, as in: zcat d.gz | dnn_train");
  }
  GrowingBytes contents(name, 0);
  while (true) {
    const auto room = contents.room();
    const ssize_t count = ::read(descriptor, room.data(), room.size());
    if (count > 0) {
      contents.added(static_cast<std::size_t>(count));
    } else if (count == 0) {
      break;
    } else if (errno != EINTR) {
      throw FileError("read", name, errno);
    }
  }
  if (contents.size() == 0) {
    throw InputError(name + " is empty: whoever writes to it has ended without sending data");
  }
  return contents.finish();
}

void check_streams(const std::vector<std::string>& sources, std::size_t readers) {
  std::vector<std::pair<dev_t, ino_t>> seen;
  for (const std::string& source : sources) {
    for (const std::string& path : streams_of(source)) {
      const std::string name = name_of(path);
      if (readers > 1) {
        throw InputError(fmt::format(
            "{}: a pipe has one reader, but the data are read once in each of the {} groups of "
            "ranks that share memory; write them to a file that all nodes see",
            name, readers));
      }
      const auto own = identity(path);
      if (std::find(seen.begin(), seen.end(), own) != seen.end()) {
        throw InputError(fmt::format(
            "{} is named twice, but a pipe can be read only once; write one of the two to a file",
            name));
      }
      seen.push_back(own);
    }
  }
}

}  // namespace dnn
