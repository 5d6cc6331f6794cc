#include "dnn/core/descriptor.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dnn {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    value_ = other.release();
  }
  return *this;
}

int Descriptor::release() noexcept {
  return std::exchange(value_, -1);
}

void Descriptor::close() noexcept {
  if (is_open()) {
    const int kept = errno;
    ::close(release());
    errno = kept;
  }
}

}  // namespace dnn
