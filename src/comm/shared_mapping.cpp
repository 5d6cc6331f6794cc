#include "dnn/comm/shared_mapping.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/descriptor.hpp"
#include "dnn/core/temporary_name.hpp"

namespace dnn {

namespace {

using Source = SharedMapping::Source;

/// What the leader tells the others: where its file is, and which file that is.
struct Place {
  char path[4096] = {};
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

/// What went wrong.
std::string failure(const std::string& doing, int code) {
  return doing + ": " + std::strerror(code);
}

/// On the leader: makes the file, and says where it is; `name`: that of a temporary file. Returns
/// what went wrong.
std::string make_file(Source source, std::size_t bytes, Place& place, Descriptor& file,
                      TemporaryName& name) {
  std::string path;
  if (source == Source::unnamed) {
    file = Descriptor(::memfd_create("dnn_node_memory", MFD_CLOEXEC));
    path = fmt::format("/proc/{}/fd/{}", ::getpid(), file.value());
  } else {
    path = temporary_folder() + "/dnn_node_memory.XXXXXX";
    file = Descriptor(::mkostemp(path.data(), O_CLOEXEC));
  }
  if (!file.is_open()) {
    const int code = errno;
    return failure(source == Source::unnamed ? "memfd" : temporary_folder(), code);
  }
  if (source == Source::temporary_file) {
    name = TemporaryName(path);
  }
  if (path.size() >= sizeof(place.path)) {
    return path + ": the path is too long";
  }
  path.copy(place.path, sizeof(place.path) - 1);
  // A disk has to have the room now: what is missing later would be a bus error.
  const int code = source == Source::unnamed
                       ? (::ftruncate(file.value(), static_cast<off_t>(bytes)) == 0 ? 0 : errno)
                       : ::posix_fallocate(file.value(), 0, static_cast<off_t>(bytes));
  struct stat status {};
  if (code != 0 || ::fstat(file.value(), &status) != 0) {
    return failure(path, code != 0 ? code : errno);
  }
  place.device = status.st_dev;
  place.inode = status.st_ino;
  return {};
}

/// On the others: opens the leader's file. Returns what went wrong.
std::string open_file_of_leader(const Place& place, Descriptor& file) {
  file = Descriptor(::open(place.path, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.value(), &status) != 0) {
    return failure(place.path, errno);
  }
  // With process numbers of another container, the path may lead to a stranger's file.
  return status.st_dev == place.device && status.st_ino == place.inode
             ? std::string()
             : std::string(place.path) + ": this rank sees another file there";
}

/// Collective: the memory from one source, or null and, in `reason`, why not.
void* map_from(const Communicator& ranks, Source source, std::size_t bytes, std::string& reason) {
  Descriptor file;
  TemporaryName name;  // until all ranks have opened the file, or an error ends this
  Place place;
  std::string problem =
      ranks.is_root() ? make_file(source, bytes, place, file, name) : std::string();
  ranks.broadcast(std::as_writable_bytes(std::span(&place, 1)), 0);
  void* base = MAP_FAILED;
  if (!ranks.is_root() && place.inode != 0) {
    problem = open_file_of_leader(place, file);
  }
  if (problem.empty() && place.inode != 0) {
    base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.value(), 0);
    problem = base == MAP_FAILED ? failure(std::string("mapping ") + place.path, errno) : "";
  }
  bool all_have_it = true;
  try {
    throw_if_any_failed(ranks, base == MAP_FAILED, problem);
  } catch (const AgreedError& error) {
    reason = error.what();
    all_have_it = false;
  }
  if (!all_have_it && base != MAP_FAILED) {
    ::munmap(base, bytes);
  }
  return all_have_it ? base : nullptr;
}

}  // namespace

SharedMapping SharedMapping::make(const Communicator& ranks, std::size_t bytes, Source first) {
  std::string reasons;
  for (const Source source : {Source::unnamed, Source::temporary_file}) {
    if (source < first) {
      continue;
    }
    std::string reason;
    if (void* base = map_from(ranks, source, bytes, reason); base != nullptr) {
      return {{static_cast<std::byte*>(base), bytes}, source};
    }
    reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  throw AgreedError(
      fmt::format("no {} of shared memory besides /dev/shm: {}", size_text(bytes), reasons));
}

SharedMapping::SharedMapping(SharedMapping&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), source_(other.source_) {}

SharedMapping& SharedMapping::operator=(SharedMapping&& other) noexcept {
  if (this != &other) {
    release();
    bytes_ = std::exchange(other.bytes_, {});
    source_ = other.source_;
  }
  return *this;
}

SharedMapping::~SharedMapping() {
  release();
}

void SharedMapping::release() noexcept {
  if (!bytes_.empty()) {
    ::munmap(bytes_.data(), bytes_.size());
    bytes_ = {};
  }
}

std::string describe(Source source) {
  return source == Source::unnamed ? "unnamed shared memory (memfd)"
                                   : "a temporary file in " + temporary_folder();
}

}  // namespace dnn
