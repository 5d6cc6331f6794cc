#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace dnn {

/// What becomes different when a file is written to. A table is read in several passes, which must
/// not see different contents:
///
///     const FileStamp stamp("table.csv");
///     ... read the file ...
///     stamp.check();
class FileStamp {
 public:
  /// Takes the stamp of `path`; of what is no regular file, none.
  explicit FileStamp(std::string path);

  /// Stamps of the files in a folder that have one of `marks` in their names.
  [[nodiscard]] static std::vector<FileStamp> of_folder(const std::string& folder,
                                                        const std::vector<std::string>& marks);

  /// What the system says of a file.
  struct Mark {
    bool is_file = false;  ///< else nothing
    dev_t device = 0;
    ino_t number = 0;
    std::int64_t size = 0;
    std::int64_t seconds = 0;  ///< of the last writing, since 1970
    std::int64_t nanoseconds = 0;
    /// Of the last change of contents, names, or who may read it: no program can set it back.
    std::int64_t change_seconds = 0;
    std::int64_t change_nanoseconds = 0;

    bool operator==(const Mark&) const = default;
  };

  [[nodiscard]] const std::string& path() const { return path_; }
  /// When the stamp was taken.
  [[nodiscard]] const Mark& mark() const { return mark_; }

  /// Throws InputError if the file has been written to, replaced, or removed since.
  void check() const;

 private:
  [[nodiscard]] Mark now() const;

  std::string path_;
  Mark mark_;
};

}  // namespace dnn
