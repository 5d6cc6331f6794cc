#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dnn/data/bytes.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/readers/array_names.hpp"
#include "dnn/readers/hdf5_file.hpp"
#include "dnn/readers/npy_array.hpp"
#include "dnn/readers/part.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// A file of HDF5 data.
struct Hdf5Input {
  std::string path;  ///< also names it in errors
  Bytes contents;    ///< of a pipe, an archive's member and the like; empty: the file is mapped
};

/// A data set in HDF5 files: a dataset of features, samples x features or of more dimensions
/// (images), which are flattened, and one of labels (see set_labels). The rows of several files
/// follow each other; the files have the same datasets. Contiguous features of one file, stored as
/// they are in memory, stay in the file; everything else is read in the order of the file, whole
/// chunks at a time, into the smallest element type that holds all numbers.
class Hdf5Data {
 public:
  /// `files`: at least one. `selection`: "features" or "features,labels"; empty: see ArrayNames.
  /// Throws FileError or InputError where the first file cannot be read.
  Hdf5Data(std::vector<Hdf5Input> files, std::string selection);

  /// Whether there are datasets of a test part; `labelled`: its labels as well.
  [[nodiscard]] bool has_test_part(bool labelled) const;

  /// Reads a part. A file of one dataset holds the labels as a column. Of features beside labels,
  /// each member of the options' team reads some rows (Dataset::held), of one file in whole chunks.
  /// Throws FileError or InputError, the latter also where memory is short.
  [[nodiscard]] Dataset read(Part part, const ReadOptions& options) const;

 private:
  struct Joined {
    NpyArray array;
    std::vector<std::size_t> rows;  ///< of each file
    std::size_t working_bytes = 0;  ///< of memory beside the elements, while they are read
    Range own;                      ///< the rows whose elements are read
    bool is_mapped = false;         ///< all elements are there, in the file
  };
  /// Which rows are read, and into which memory.
  struct Wanted {
    bool is_features = false;
    ReadingTeam team = {};  ///< whose members share out the rows
    ScratchMemory memory = {};
  };

  [[nodiscard]] std::unique_ptr<Hdf5File> open(const Hdf5Input& file) const;
  [[nodiscard]] std::unique_ptr<Hdf5Dataset> open(const Hdf5Input& file,
                                                  const std::string& name) const;
  [[nodiscard]] std::string origin_of(const std::string& name) const;
  [[nodiscard]] Joined joined_layout(const std::string& name, Hdf5Layout& layout) const;
  [[nodiscard]] Joined joined(const std::string& name, const Wanted& wanted) const;
  void read_numbers(const std::string& name, const ScratchMemory& memory, Joined& joined) const;
  void read_texts(const std::string& name, Joined& joined) const;

  std::vector<Hdf5Input> files_;
  std::string selection_;
  ArrayNames names_;
};

/// The smallest element type that holds all numbers of both; double where there is none.
[[nodiscard]] ElementType common_type(ElementType a, ElementType b);

}  // namespace dnn
