#include "dnn/readers/hdf5_handle.hpp"

#include <fmt/format.h>

#include <utility>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

/// Keeps the first description that is not empty; `client` is a std::string. It may not throw: the
/// caller is written in C.
herr_t keep_description(unsigned /*depth*/, const H5E_error2_t* error, void* client) noexcept {
  auto& text = *static_cast<std::string*>(client);
  if (text.empty() && error->desc != nullptr) {
    text = error->desc;
  }
  return 0;
}

}  // namespace

Hdf5Handle::Hdf5Handle(Hdf5Handle&& other) noexcept
    : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}

Hdf5Handle& Hdf5Handle::operator=(Hdf5Handle&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  return *this;
}

Hdf5Handle::~Hdf5Handle() {
  if (id_ >= 0) {
    close_(id_);
  }
}

std::string hdf5_reason() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_description, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "the HDF5 library gives no reason" : text;
}

void fail_in_hdf5(const std::string& where, const std::string& what) {
  throw InputError(fmt::format("{}: {}: {}", where, what, hdf5_reason()));
}

Hdf5Handle opened(Hdf5Handle handle, const std::string& where) {
  if (!handle.is_open()) {
    fail_in_hdf5(where, "corrupt, or beyond what the HDF5 library reads");
  }
  return handle;
}

void silence_hdf5() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string hdf5_library_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace dnn
