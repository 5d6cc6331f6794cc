#pragma once

#include <string>

#include "dnn/readers/hdf5_file.hpp"
#include "dnn/readers/hdf5_handle.hpp"

namespace dnn {

/// A dataset as the HDF5 library reads it.
class StoredHdf5Dataset : public Hdf5Dataset {
 public:
  /// `origin` names it in errors. `in_file`: the library reads a file that could be mapped. Throws
  /// InputError for types other than numbers of 1 to 8 bytes and strings, for what has no rows, for
  /// elements that lie in other files, and for filters that the library lacks.
  StoredHdf5Dataset(Hdf5Handle dataset, std::string origin, bool in_file);

  [[nodiscard]] const Hdf5Layout& layout() const override { return layout_; }
  void read_numbers(Range rows, ElementType type, std::span<std::byte> to) const override;
  void append_texts(Range rows, std::vector<std::string>& texts) const override;

 private:
  void read_shape();
  void read_type();
  void read_storage(bool in_file);
  void check_filter(const Hdf5Handle& creation, unsigned index, std::size_t chunk_elements) const;
  [[nodiscard]] Hdf5Handle rows_in_memory(Range rows) const;
  void read(Range rows, const Hdf5Handle& type, const Hdf5Handle& memory, void* to) const;

  std::string origin_;
  Hdf5Handle dataset_;
  Hdf5Handle space_;
  Hdf5Handle type_;           ///< of the elements in the file; of an enumeration its numbers'
  bool is_variable_ = false;  ///< strings of any length
  Hdf5Layout layout_;
};

}  // namespace dnn
