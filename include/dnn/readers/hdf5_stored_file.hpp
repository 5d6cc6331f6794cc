#pragma once

#include <string>

#include "dnn/readers/hdf5_file.hpp"
#include "dnn/readers/hdf5_handle.hpp"

namespace dnn {

/// An HDF5 file as the library reads it.
class StoredHdf5File : public Hdf5File {
 public:
  /// See open_hdf5.
  StoredHdf5File(const Bytes& contents, std::string origin);

  [[nodiscard]] std::vector<std::string> datasets() const override;
  [[nodiscard]] std::unique_ptr<Hdf5Dataset> open(const std::string& path) const override;

 private:
  std::string origin_;
  bool is_mapped_;  ///< the library reads the file itself, and no copy
  Hdf5Handle file_;
};

}  // namespace dnn
