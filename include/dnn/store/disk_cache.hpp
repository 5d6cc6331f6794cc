#pragma once

#include <optional>
#include <string>

#include "dnn/core/name_lock.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/store/data_digest.hpp"

namespace dnn {

/// A file on a node's disk that holds data sets in the form of memory, for Placement::disk: rows of
/// one size, or sparse rows, which are mapped and read at random.
///
/// Note [A cache is whole or is not there]
/// The file is written without a name (O_TMPFILE) and gets its name when all of it is on the disk:
/// a job that is killed leaves nothing behind. Where the file system cannot do that, it has a
/// temporary name, which the next job removes (remove_if_left). A job that makes a file holds a
/// lock of that name (NameLock); jobs of this host that want the same file wait, and find it then.
/// Where they do not see each other, both write it, and the first gives it the name. No job removes
/// the name, which the ranks of another job may be about to open: a file that was found damaged is
/// replaced in one step. The name is a digest of what was read (paths, sizes, times, options), and
/// what is in the file is compared with the digest of its rows before it is used. Nobody but its
/// owner may read or write it.
class DiskCache {
 public:
  /// What the file holds.
  struct Parts {
    Dataset train;
    DataDigest train_digest;
    std::optional<Dataset> test;
    DataDigest test_digest;
  };

  /// `folder`: that of --scratch, which must exist. `identity`: what the data follow from; empty:
  /// they are not found again. Throws InputError for a folder that cannot be used.
  DiskCache(std::string folder, const std::string& identity);

  /// The path of the file.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Whether another process can find the file by what it follows from; else it is to be removed
  /// once all ranks of the node have mapped it.
  [[nodiscard]] bool is_found_again() const { return is_found_again_; }

  /// The data sets of the file, mapped; what `read` gives is written first if there is no such
  /// file, or one that is damaged. Throws FileError, or InputError where the disk has no room.
  template <class Read>
  [[nodiscard]] Parts find_or_make(Read&& read) {
    if (std::optional<Parts> found = find(Damaged::silent)) {
      return std::move(*found);
    }
    const NameLock lock = wait_for_lock();
    if (std::optional<Parts> found = find(Damaged::told)) {  // another job has made it meanwhile
      return std::move(*found);
    }
    remove_leftovers();
    return write(read());
  }

 private:
  enum class Damaged { silent, told };
  [[nodiscard]] std::optional<Parts> find(Damaged damaged);
  [[nodiscard]] NameLock wait_for_lock() const;
  void remove_leftovers() const;
  [[nodiscard]] Parts write(Parts parts) const;

  std::string folder_;
  std::string path_;
  bool is_found_again_;
  bool is_damaged_ = false;  ///< the file that has the name
};

}  // namespace dnn
