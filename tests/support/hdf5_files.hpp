#pragma once

// Writes HDF5 files for tests, by the library itself.

#include <hdf5.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace dnn::test {

/// The library's type of a C++ type in memory.
template <class T>
hid_t hdf5_type();
template <>
inline hid_t hdf5_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}
template <>
inline hid_t hdf5_type<std::uint16_t>() {
  return H5T_NATIVE_UINT16;
}
template <>
inline hid_t hdf5_type<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
inline hid_t hdf5_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
inline hid_t hdf5_type<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}
template <>
inline hid_t hdf5_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t hdf5_type<double>() {
  return H5T_NATIVE_DOUBLE;
}

/// How a dataset lies in its file.
struct Hdf5Storage {
  hid_t type = H5I_INVALID_HID;  ///< invalid: as in memory
  std::vector<hsize_t> chunk;    ///< empty: contiguous
  unsigned deflate = 0;          ///< level of compression; 0: none
  std::vector<unsigned> lzf;     ///< the values of h5py's filter; empty: none
};

/// An HDF5 file that is being written.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::string& path, hsize_t user_block = 0) {
    const hid_t creation = checked(H5Pcreate(H5P_FILE_CREATE));
    checked(H5Pset_userblock(creation, user_block));
    file_ = checked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT));
    H5Pclose(creation);
    links_ = checked(H5Pcreate(H5P_LINK_CREATE));
    checked(H5Pset_create_intermediate_group(links_, 1));
  }
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;
  ~Hdf5Writer() {
    H5Pclose(links_);
    H5Fclose(file_);
  }

  template <class T>
  Hdf5Writer& numbers(const std::string& name, const std::vector<hsize_t>& shape,
                      const std::vector<T>& values, const Hdf5Storage& storage = {}) {
    const hid_t type = storage.type == H5I_INVALID_HID ? hdf5_type<T>() : storage.type;
    write(name, shape, type, hdf5_type<T>(), values.data(), storage);
    return *this;
  }

  /// Strings of any length, or of the longest one's.
  Hdf5Writer& texts(const std::string& name, const std::vector<std::string>& texts, bool variable,
                    H5T_str_t padding = H5T_STR_NULLPAD) {
    const hid_t type = checked(H5Tcopy(H5T_C_S1));
    checked(H5Tset_cset(type, H5T_CSET_UTF8));
    std::size_t longest = 1;
    for (const std::string& text : texts) {
      longest = std::max(longest, text.size());
    }
    checked(H5Tset_size(type, variable ? H5T_VARIABLE : longest));
    std::vector<const char*> pointers;
    std::vector<char> all(texts.size() * longest, padding == H5T_STR_SPACEPAD ? ' ' : '\0');
    for (std::size_t i = 0; i < texts.size(); ++i) {
      pointers.push_back(texts[i].c_str());
      std::memcpy(all.data() + i * longest, texts[i].data(), texts[i].size());
    }
    if (!variable) {
      checked(H5Tset_strpad(type, padding));
    }
    const void* const data =
        variable ? static_cast<const void*>(pointers.data()) : static_cast<const void*>(all.data());
    write(name, {texts.size()}, type, type, data, {});
    H5Tclose(type);
    return *this;
  }

  /// A dataset of elements of any type, all zero.
  Hdf5Writer& zeros(const std::string& name, const std::vector<hsize_t>& shape, hid_t type,
                    const Hdf5Storage& storage = {}) {
    write(name, shape, type, type, nullptr, storage);
    return *this;
  }

  /// An attribute of the file's root.
  Hdf5Writer& attribute(const std::string& name, double value) {
    const hid_t space = checked(H5Screate(H5S_SCALAR));
    const hid_t attribute = checked(
        H5Acreate2(file_, name.c_str(), H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT));
    checked(H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value));
    H5Aclose(attribute);
    H5Sclose(space);
    return *this;
  }

  /// A chunk as it lies in the file: packed already.
  Hdf5Writer& packed_chunk(const std::string& name, const std::vector<hsize_t>& first,
                           const std::string& bytes) {
    const hid_t dataset = checked(H5Dopen2(file_, name.c_str(), H5P_DEFAULT));
    checked(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, first.data(), bytes.size(), bytes.data()));
    H5Dclose(dataset);
    return *this;
  }

  /// A name for an object of another file.
  Hdf5Writer& external_link(const std::string& name, const std::string& file,
                            const std::string& target) {
    checked(
        H5Lcreate_external(file.c_str(), target.c_str(), file_, name.c_str(), links_, H5P_DEFAULT));
    return *this;
  }

  /// A second name for a dataset, as good as the first.
  Hdf5Writer& hard_link(const std::string& name, const std::string& target) {
    checked(H5Lcreate_hard(file_, target.c_str(), file_, name.c_str(), links_, H5P_DEFAULT));
    return *this;
  }

  /// A name for a dataset that has another.
  Hdf5Writer& soft_link(const std::string& name, const std::string& target) {
    checked(H5Lcreate_soft(target.c_str(), file_, name.c_str(), links_, H5P_DEFAULT));
    return *this;
  }

 private:
  template <class Result>
  static Result checked(Result result) {
    if (result < 0) {
      throw std::runtime_error("the HDF5 library cannot write the test's file");
    }
    return result;
  }

  void write(const std::string& name, const std::vector<hsize_t>& shape, hid_t type, hid_t memory,
             const void* data, const Hdf5Storage& storage) {
    const hid_t space =
        shape.empty()
            ? checked(H5Screate(H5S_SCALAR))
            : checked(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
    const hid_t creation = checked(H5Pcreate(H5P_DATASET_CREATE));
    if (!storage.chunk.empty()) {
      checked(H5Pset_chunk(creation, static_cast<int>(storage.chunk.size()), storage.chunk.data()));
    }
    if (storage.deflate > 0) {
      checked(H5Pset_deflate(creation, storage.deflate));
    }
    if (!storage.lzf.empty()) {  // optional: the library writes without it
      checked(H5Pset_filter(creation, 32000, H5Z_FLAG_OPTIONAL, storage.lzf.size(),
                            storage.lzf.data()));
    }
    const hid_t dataset =
        checked(H5Dcreate2(file_, name.c_str(), type, space, links_, creation, H5P_DEFAULT));
    if (data != nullptr) {
      checked(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    }
    H5Dclose(dataset);
    H5Pclose(creation);
    H5Sclose(space);
  }

  hid_t file_ = H5I_INVALID_HID;
  hid_t links_ = H5I_INVALID_HID;  ///< groups on the way are made
};

}  // namespace dnn::test
