#pragma once

// HDF5 files as the readers see them, without the library that reads them: a build may lack it.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/core/partition.hpp"
#include "dnn/data/bytes.hpp"
#include "dnn/data/element_type.hpp"

namespace dnn {

/// How the elements of an HDF5 dataset lie in its file, and the type in which they are read.
struct Hdf5Layout {
  std::vector<std::size_t> shape;       ///< not empty; rows come first
  bool is_text = false;                 ///< the elements are strings
  std::size_t text_bytes = 0;           ///< of strings of one length; 0: of any length, or numbers
  ElementType type = ElementType::f32;  ///< of numbers: the smallest type that holds all of them
  std::size_t chunk_rows = 1;           ///< rows that are stored as one
  std::size_t chunk_bytes = 0;          ///< of a chunk, unpacked; 0: there are no chunks
  /// Where the elements begin in the file, if they lie there as they do in memory.
  std::optional<std::size_t> mapped_offset;

  [[nodiscard]] std::size_t rows() const { return shape.front(); }
  /// Elements of a row. The product of all extents and element_bytes() is a std::size_t.
  [[nodiscard]] std::size_t row_elements() const;
  /// The most bytes that an element takes, in the file or read.
  [[nodiscard]] std::size_t element_bytes() const;
};

/// An HDF5 dataset: an array of numbers or strings.
class Hdf5Dataset {
 public:
  Hdf5Dataset() = default;
  Hdf5Dataset(const Hdf5Dataset&) = delete;
  Hdf5Dataset& operator=(const Hdf5Dataset&) = delete;
  virtual ~Hdf5Dataset() = default;

  [[nodiscard]] virtual const Hdf5Layout& layout() const = 0;

  /// Fills `to` with the numbers of some rows, as elements of `type`, which holds all numbers of
  /// layout().type. Whole chunks are read fastest. Throws InputError for damaged contents.
  virtual void read_numbers(Range rows, ElementType type, std::span<std::byte> to) const = 0;

  /// Appends the strings of some rows to `texts`, without what they are filled up with. Throws
  /// InputError for damaged contents.
  virtual void append_texts(Range rows, std::vector<std::string>& texts) const = 0;
};

/// An HDF5 file that is open to be read.
class Hdf5File {
 public:
  Hdf5File() = default;
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;
  virtual ~Hdf5File() = default;

  /// The paths of its datasets, as in "/train/x", sorted; the first few thousand of very many.
  /// Those are the names of its links: hard ones, soft ones that lead to a dataset, and external
  /// ones, which nobody follows. Of links to one dataset that mean the same (see plain_array_name),
  /// one.
  [[nodiscard]] virtual std::vector<std::string> datasets() const = 0;

  /// The dataset at a path, with or without the first "/"; null where there is none. It keeps the
  /// file open. Throws InputError for a dataset that cannot be read as an array, and for one that
  /// an external link finds in another file.
  [[nodiscard]] virtual std::unique_ptr<Hdf5Dataset> open(const std::string& path) const = 0;
};

/// Whether the contents are those of an HDF5 file: its signature stands at the beginning, or behind
/// a block of 512 bytes, 1 KiB, 2 KiB, ... of another program.
[[nodiscard]] bool looks_like_hdf5(std::span<const std::byte> contents);

/// Whether a file's name ends like those of HDF5 files, compressed or not.
[[nodiscard]] bool is_named_like_hdf5(const std::string& name);

/// A path within a file as messages show it: not too long, and no character forges a line.
[[nodiscard]] std::string shown_hdf5_path(const std::string& path);

/// A dataset as errors name it: "FILE:/PATH".
[[nodiscard]] std::string hdf5_place(const std::string& file, const std::string& path);

/// Opens the HDF5 file with these contents. A mapped file is opened by its path and read where its
/// elements are; other contents are copied. `origin` names it in errors. Throws InputError for a
/// damaged file, and where this build cannot read HDF5 files.
[[nodiscard]] std::unique_ptr<Hdf5File> open_hdf5(const Bytes& contents, const std::string& origin);

/// What --version says about it: "HDF5 1.10.8" or "without HDF5".
[[nodiscard]] std::string hdf5_support();

}  // namespace dnn
