#pragma once

#include <optional>
#include <string>
#include <utility>

#include "dnn/core/descriptor.hpp"

namespace dnn {

/// A name that one process of this host at a time holds. Move-only.
///
/// Note [Locks that leave nothing]
/// A lock file stays behind when its process is killed, and a lock on a folder makes all wait who
/// use the folder. So the name is that of an abstract Unix socket, which the kernel frees with the
/// process that has bound it, however that ends; who waits is connected to it until then. The names
/// are those of a network namespace: processes in different containers do not see each other's, so
/// nothing may depend on the lock but time. Where there are no such sockets, and for a name that
/// another user holds, nobody waits for long.
class NameLock {
 public:
  /// Nothing: another process holds the name. `name`: at most 100 bytes.
  [[nodiscard]] static std::optional<NameLock> try_take(const std::string& name);
  /// Waits until the name is free; for another user's process, a second.
  [[nodiscard]] static NameLock take(const std::string& name);

 private:
  explicit NameLock(Descriptor socket) : socket_(std::move(socket)) {}

  Descriptor socket_;
};

}  // namespace dnn
