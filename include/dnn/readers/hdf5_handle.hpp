#pragma once

// What all calls of the HDF5 library need: identifiers that are closed, errors that are thrown.

#include <hdf5.h>

#include <string>

namespace dnn {

/// An identifier of the HDF5 library's, closed at the end.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  /// Owns `id`, which may be negative: then there is nothing to close.
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept;
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept;
  ~Hdf5Handle();

  [[nodiscard]] hid_t id() const { return id_; }
  [[nodiscard]] bool is_open() const { return id_ >= 0; }

 private:
  hid_t id_;
  Close close_;
};

/// The innermost reason of the library's last error, as it puts it.
[[nodiscard]] std::string hdf5_reason();

/// Throws InputError "WHERE: WHAT: the library's reason".
[[noreturn]] void fail_in_hdf5(const std::string& where, const std::string& what);

/// Throws the same unless `handle` is open.
[[nodiscard]] Hdf5Handle opened(Hdf5Handle handle, const std::string& where);

/// The library's errors are thrown from now on, and not printed by it.
void silence_hdf5();

/// "1.10.8"
[[nodiscard]] std::string hdf5_library_version();

}  // namespace dnn
