#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dnn/data/bytes.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/files/file_stamp.hpp"
#include "dnn/readers/hdf5_reader.hpp"
#include "dnn/readers/npz_reader.hpp"
#include "dnn/readers/part.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// What --data and --test-data name, opened once, so that it may be a pipe: `builtin:digits`; a
/// folder of IDX or NPY files (data_folder.hpp); a table of text in several files
/// (table_files.hpp); two NPY files "features.npy,labels.npy"; an
/// archive of NumPy's arrays (NpzArchive), followed by ":features,labels" where their names are
/// others; HDF5 files (Hdf5Data), one, a folder, a pattern or a list of them, followed by
/// ":features,labels" likewise; or one file, CSV, LIBSVM or NPY by its contents. Files may be
/// compressed, or the only file of a zip or tar archive; "archive.zip:file" names one of several.
/// "-" is standard input.
class DataSource {
 public:
  /// Opens the file or reads the pipe, unless it is one of two. Throws FileError or InputError.
  explicit DataSource(const std::string& source);

  /// Path, inode, size and time of the last writing of all files that a source names, as text.
  /// Empty where a stream is among them, or one that is named is gone. Throws as the constructor
  /// does.
  [[nodiscard]] static std::string identity_of(const std::string& source);

  /// Whether there is a test part besides the training data. `labelled`: one that has labels.
  [[nodiscard]] bool has_test_part(bool labelled) const;

  /// Stamps of the files that are read, in the order of their names; those of pipes say nothing.
  [[nodiscard]] const std::vector<FileStamp>& stamps() const { return stamps_; }

  /// Reads a part, or the piece of it that the options ask for; sources without a test part give
  /// the same data for both. A pipe that does not bring an archive of arrays is read once. Throws
  /// FileError or InputError, also for a file that has changed since it was opened.
  [[nodiscard]] Dataset read(Part part, const ReadOptions& options);

 private:
  DataSource() = default;

  enum class Kind { builtin, folder, pair, tables, hdf5, file };

  void find_kind(const std::string& source);
  void find_kind_of_folder();
  void open_file();
  void stamp_files();
  [[nodiscard]] Dataset read_part(Part part, const ReadOptions& options);
  [[nodiscard]] Dataset read_piece(Part part, const ReadOptions& options);
  [[nodiscard]] const std::vector<std::string>& files_of(Part part) const;
  void open_tables(std::vector<std::string> files, std::vector<std::string> test_files);

  Kind kind_ = Kind::file;
  std::string path_;                ///< pair: of the features
  std::string labels_;              ///< pair: the path of the labels
  std::string selection_;           ///< what follows the archive's path
  std::vector<std::string> files_;  ///< tables, HDF5: of the training part
  std::vector<std::string>
      test_files_;            ///< empty where there is no test part, or no file of its own
  Bytes contents_;            ///< of a file, until it is read
  std::vector<Bytes> texts_;  ///< of a table that is read piece by piece, as UTF-8
  std::optional<NpzArchive> arrays_;
  std::optional<Hdf5Data> hdf5_;
  std::optional<Hdf5Data> hdf5_test_;  ///< of test_files_
  std::vector<FileStamp> stamps_;      ///< of the files that are read
};

}  // namespace dnn
