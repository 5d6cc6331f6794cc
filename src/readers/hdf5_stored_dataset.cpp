#include "dnn/readers/hdf5_stored_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/readers/hdf5_lzf_filter.hpp"

namespace dnn {

namespace {

/// The library's name of a type in memory; of no use to H5Tclose.
hid_t native_type(ElementType type) {
  switch (type) {
    case ElementType::u8:
      return H5T_NATIVE_UINT8;
    case ElementType::i8:
      return H5T_NATIVE_INT8;
    case ElementType::u16:
      return H5T_NATIVE_UINT16;
    case ElementType::i16:
      return H5T_NATIVE_INT16;
    case ElementType::u32:
      return H5T_NATIVE_UINT32;
    case ElementType::i32:
      return H5T_NATIVE_INT32;
    case ElementType::u64:
      return H5T_NATIVE_UINT64;
    case ElementType::i64:
      return H5T_NATIVE_INT64;
    case ElementType::f32:
      return H5T_NATIVE_FLOAT;
    case ElementType::f64:
      return H5T_NATIVE_DOUBLE;
  }
  throw std::logic_error("native_type: unknown type");
}

ElementType whole_number_type(std::size_t bytes, bool is_signed) {
  if (bytes == 1) {
    return is_signed ? ElementType::i8 : ElementType::u8;
  }
  if (bytes == 2) {
    return is_signed ? ElementType::i16 : ElementType::u16;
  }
  if (bytes <= 4) {
    return is_signed ? ElementType::i32 : ElementType::u32;
  }
  return is_signed ? ElementType::i64 : ElementType::u64;
}

/// The type that holds all floating-point numbers of the library's `type`.
std::optional<ElementType> floating_type(hid_t type) {
  std::size_t sign = 0;
  std::size_t exponent = 0;
  std::size_t exponent_bits = 0;
  std::size_t mantissa = 0;
  std::size_t mantissa_bits = 0;
  if (H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0) {
    return std::nullopt;
  }
  const std::size_t bias = H5Tget_ebias(type);
  if (exponent_bits <= 8 && mantissa_bits <= 23 && bias <= 127) {
    return ElementType::f32;
  }
  return exponent_bits <= 11 && mantissa_bits <= 52 && bias <= 1023
             ? std::optional(ElementType::f64)
             : std::nullopt;
}

/// What elements are that are no numbers and no strings.
const char* kind_of_type(H5T_class_t kind) {
  switch (kind) {
    case H5T_COMPOUND:
      return "rows of named columns (a compound type); save the columns as a plain array";
    case H5T_REFERENCE:
      return "references to other objects; name the dataset of the numbers";
    case H5T_VLEN:
      return "lists of different lengths; save an array of samples x features";
    case H5T_ARRAY:
      return "small arrays (an array type); save them as further dimensions of the dataset";
    case H5T_OPAQUE:
      return "opaque bytes; save numbers of 1 to 8 bytes";
    case H5T_FLOAT:
      return "floating-point numbers that double does not hold; save them as double";
    default:
      return "of a type that cannot be read; save numbers of 1 to 8 bytes";
  }
}

/// The strings that the library has allocated.
class LibraryStrings {
 public:
  LibraryStrings(std::size_t count, const Hdf5Handle& type, const Hdf5Handle& space)
      : pointers_(count, nullptr), type_(type), space_(space) {}
  LibraryStrings(const LibraryStrings&) = delete;
  LibraryStrings& operator=(const LibraryStrings&) = delete;
  ~LibraryStrings() { H5Dvlen_reclaim(type_.id(), space_.id(), H5P_DEFAULT, pointers_.data()); }

  [[nodiscard]] std::vector<char*>& pointers() { return pointers_; }

 private:
  std::vector<char*> pointers_;
  const Hdf5Handle& type_;
  const Hdf5Handle& space_;
};

}  // namespace

StoredHdf5Dataset::StoredHdf5Dataset(Hdf5Handle dataset, std::string origin, bool in_file)
    : origin_(std::move(origin)),
      dataset_(std::move(dataset)),
      space_(opened({H5Dget_space(dataset_.id()), H5Sclose}, origin_)),
      type_(opened({H5Dget_type(dataset_.id()), H5Tclose}, origin_)) {
  read_type();
  read_shape();
  read_storage(in_file);
}

void StoredHdf5Dataset::read_shape() {
  std::array<hsize_t, H5S_MAX_RANK> extents{};
  const int rank = H5Sget_simple_extent_ndims(space_.id());
  if (rank < 0 || H5Sget_simple_extent_dims(space_.id(), extents.data(), nullptr) < 0) {
    fail_in_hdf5(origin_, "corrupt shape");
  }
  if (rank == 0) {  // a scalar, or nothing at all
    throw InputError(origin_ + ": the dataset holds a single value, and no array of rows");
  }
  std::size_t bytes = layout_.element_bytes();
  for (int i = 0; i < rank; ++i) {
    const std::size_t extent = extents[static_cast<std::size_t>(i)];
    layout_.shape.push_back(extent);
    if (__builtin_mul_overflow(bytes, std::max<std::size_t>(extent, 1), &bytes)) {
      throw InputError(origin_ + ": corrupt shape (its extents overflow)");
    }
  }
}

void StoredHdf5Dataset::read_type() {
  if (H5Tget_class(type_.id()) == H5T_ENUM) {  // h5py's bool, among others
    type_ = opened({H5Tget_super(type_.id()), H5Tclose}, origin_);
  }
  const H5T_class_t kind = H5Tget_class(type_.id());
  const std::size_t bytes = H5Tget_size(type_.id());
  if (kind == H5T_STRING) {
    layout_.is_text = true;
    is_variable_ = H5Tis_variable_str(type_.id()) > 0;
    layout_.text_bytes = is_variable_ ? 0 : bytes;
    return;
  }
  std::optional<ElementType> type;
  if (kind == H5T_INTEGER && bytes <= 8) {
    type = whole_number_type(bytes, H5Tget_sign(type_.id()) == H5T_SGN_2);
  } else if (kind == H5T_FLOAT) {
    type = floating_type(type_.id());
  }
  if (!type) {
    throw InputError(fmt::format("{}: its elements are {}", origin_, kind_of_type(kind)));
  }
  layout_.type = *type;
}

void StoredHdf5Dataset::read_storage(bool in_file) {
  const Hdf5Handle creation = opened({H5Dget_create_plist(dataset_.id()), H5Pclose}, origin_);
  const H5D_layout_t storage = H5Pget_layout(creation.id());
  if (storage == H5D_VIRTUAL || H5Pget_external_count(creation.id()) > 0) {
    throw InputError(origin_ +
                     ": its elements are in other files (a virtual or external dataset); name "
                     "those files, or copy them into one with h5repack");
  }
  const std::size_t element =
      layout_.is_text ? H5Tget_size(type_.id()) : element_size(layout_.type);
  std::size_t chunk_elements = 0;
  if (storage == H5D_CHUNKED) {
    std::vector<hsize_t> chunk(layout_.shape.size(), 1);
    if (H5Pget_chunk(creation.id(), static_cast<int>(chunk.size()), chunk.data()) < 0) {
      fail_in_hdf5(origin_, "corrupt chunks");
    }
    layout_.chunk_rows = std::max<std::size_t>(chunk.front(), 1);
    chunk_elements = 1;
    for (const hsize_t extent : chunk) {
      chunk_elements *= extent;  // the library has none above 4 GiB
    }
    layout_.chunk_bytes = element * chunk_elements;
  }
  const int filters = H5Pget_nfilters(creation.id());
  for (int i = 0; i < filters; ++i) {
    check_filter(creation, static_cast<unsigned>(i), chunk_elements);
  }
  if (in_file && storage == H5D_CONTIGUOUS && !layout_.is_text &&
      H5Tequal(type_.id(), native_type(layout_.type)) > 0) {
    const haddr_t at = H5Dget_offset(dataset_.id());
    if (at != HADDR_UNDEF && at % element == 0) {
      layout_.mapped_offset = at;
    }
  }
}

/// Throws InputError for a filter that the library lacks, and where the chunks that LZF unpacks are
/// not those of the dataset: the library would read beyond their ends.
void StoredHdf5Dataset::check_filter(const Hdf5Handle& creation, unsigned index,
                                     std::size_t chunk_elements) const {
  unsigned flags = 0;
  std::array<unsigned, 8> values{};
  std::size_t count = values.size();
  std::array<char, 64> name{};
  unsigned config = 0;
  const H5Z_filter_t filter = H5Pget_filter2(creation.id(), index, &flags, &count, values.data(),
                                             name.size(), name.data(), &config);
  if (H5Zfilter_avail(filter) <= 0) {
    throw InputError(fmt::format(
        "{}: compressed by filter {} {}, which the HDF5 library does not have here; set "
        "HDF5_PLUGIN_PATH to the folder of its plugin, or rewrite the file: h5repack -f GZIP=4",
        origin_, filter, in_quotes(name.data())));
  }
  if (filter != lzf_filter) {
    return;
  }
  if (is_variable_) {  // whose chunks have no size in the file
    throw InputError(fmt::format(
        "{}: strings of any length, compressed by filter {} (lzf), which is read for numbers and "
        "strings of one length only; write the dataset with gzip",
        origin_, filter));
  }
  const std::size_t said = count > lzf_chunk_value ? values[lzf_chunk_value] : 0;
  if (const std::size_t bytes = H5Tget_size(type_.id()) * chunk_elements; said != bytes) {
    throw InputError(
        fmt::format("{}: corrupt: filter {} (lzf) unpacks chunks of {} bytes, but those of the "
                    "dataset have {}; "
                    "write the file anew",
                    origin_, filter, said, bytes));
  }
}

Hdf5Handle StoredHdf5Dataset::rows_in_memory(Range rows) const {
  std::vector<hsize_t> extents(layout_.shape.begin(), layout_.shape.end());
  extents.front() = rows.size();
  return opened(
      {H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose},
      origin_);
}

void StoredHdf5Dataset::read(Range rows, const Hdf5Handle& type, const Hdf5Handle& memory,
                             void* to) const {
  std::vector<hsize_t> first(layout_.shape.size(), 0);
  std::vector<hsize_t> count(layout_.shape.begin(), layout_.shape.end());
  first.front() = rows.begin;
  count.front() = rows.size();
  if (H5Sselect_hyperslab(space_.id(), H5S_SELECT_SET, first.data(), nullptr, count.data(),
                          nullptr) < 0 ||
      H5Dread(dataset_.id(), type.id(), memory.id(), space_.id(), H5P_DEFAULT, to) < 0) {
    fail_in_hdf5(origin_, fmt::format("rows {} to {} cannot be read (truncated or corrupt)",
                                      rows.begin + 1, rows.end));
  }
}

void StoredHdf5Dataset::read_numbers(Range rows, ElementType type, std::span<std::byte> to) const {
  if (to.size() != rows.size() * layout_.row_elements() * element_size(type)) {
    throw std::invalid_argument("read_numbers: room of another size");
  }
  if (!to.empty()) {
    const Hdf5Handle memory_type = opened({H5Tcopy(native_type(type)), H5Tclose}, origin_);
    read(rows, memory_type, rows_in_memory(rows), to.data());
  }
}

void StoredHdf5Dataset::append_texts(Range rows, std::vector<std::string>& texts) const {
  const std::size_t count = rows.size() * layout_.row_elements();
  if (count == 0) {
    return;
  }
  const Hdf5Handle type = opened({H5Tcopy(H5T_C_S1), H5Tclose}, origin_);
  const Hdf5Handle memory = rows_in_memory(rows);
  const std::size_t bytes = is_variable_ ? H5T_VARIABLE : layout_.text_bytes;
  if (H5Tset_size(type.id(), bytes) < 0 || H5Tset_cset(type.id(), H5Tget_cset(type_.id())) < 0 ||
      (!is_variable_ && H5Tset_strpad(type.id(), H5T_STR_NULLPAD) < 0)) {
    fail_in_hdf5(origin_, "corrupt type of strings");
  }
  if (is_variable_) {
    LibraryStrings strings(count, type, memory);
    read(rows, type, memory, strings.pointers().data());
    for (const char* text : strings.pointers()) {
      texts.emplace_back(text == nullptr ? "" : text);
    }
    return;
  }
  std::vector<char> all(count * bytes);
  read(rows, type, memory, all.data());
  for (std::size_t i = 0; i < count; ++i) {
    const char* const text = all.data() + i * bytes;
    texts.emplace_back(text, ::strnlen(text, bytes));
  }
}

}  // namespace dnn
