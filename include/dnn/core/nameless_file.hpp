#pragma once

#include <string>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/temporary_name.hpp"

namespace dnn {

/// A new file that has no name in its folder until it is given one, and disappears with this object
/// and its mappings if it is given none: a process that is killed leaves nothing behind. Some file
/// systems have no such files (O_TMPFILE); there, it has a temporary name until then.
class NamelessFile {
 public:
  /// What give_name does to a file that has the name already. Only a file that has a temporary name
  /// can replace another one.
  enum class Existing { kept, replaced };

  /// `temporary`: how a temporary name begins, with the path of the folder; "-XXXXXX" and `mark`
  /// follow. is_open() is false, with errno set, where no file can be made.
  NamelessFile(const std::string& folder, const std::string& temporary, const std::string& mark,
               Existing existing = Existing::kept);
  [[nodiscard]] bool is_open() const { return file_.is_open(); }
  [[nodiscard]] int descriptor() const { return file_.value(); }

  /// Removes the temporary name, if there is one: the file will get no other.
  void stay_nameless() { temporary_.remove(); }
  /// Gives it the name `path`. A file that has this name keeps it (Existing::kept, where there are
  /// nameless files) or is replaced in one step: the name is never without a file in between.
  /// False, with errno set, where that fails.
  [[nodiscard]] bool give_name(const std::string& path);

 private:
  [[nodiscard]] bool make_named(const std::string& temporary, const std::string& mark);

  Descriptor file_;
  TemporaryName temporary_;
};

/// Removes a temporary name that a killed process has left, but none that a NamelessFile still has,
/// whatever container or host that is in: it holds a lock (flock). Where the file system has no
/// locks, the name stays.
void remove_if_left(const std::string& temporary);

}  // namespace dnn
