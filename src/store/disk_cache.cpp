#include "dnn/store/disk_cache.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <utility>
#include <vector>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/nameless_file.hpp"
#include "dnn/core/output_file.hpp"
#include "dnn/core/sha256.hpp"
#include "dnn/store/dataset_description.hpp"

namespace dnn {

namespace {

using nlohmann::json;

constexpr char magic[] = "dnn_train " DNN_VERSION " rows 2\n";
constexpr std::size_t magic_size = sizeof(magic) - 1;
constexpr std::size_t page = 4096;  ///< where an array may begin
constexpr const char* rows_mark = ".rows";
constexpr const char* leftover_mark = ".tmp";
constexpr std::size_t digest_size = 64;
constexpr std::size_t name_size = 24;  ///< digits of a file's name
constexpr std::size_t header_begin = magic_size + sizeof(std::uint64_t) + digest_size;

/// Whether a cache made this temporary name: the folder may hold a user's own files, too.
bool is_leftover(const std::string& name) {
  static const std::regex made(
      fmt::format("[0-9a-f]{{{}}}\\{}-[A-Za-z0-9]{{6}}\\{}", name_size, rows_mark, leftover_mark));
  return std::regex_match(name, made);
}

std::string digest_of_header(std::span<const std::byte> header) {
  return to_hex(sha256(header));
}

std::size_t next_page(std::size_t offset) {
  return (offset + page - 1) / page * page;
}

json to_json(const DataDigest& digest) {
  return {digest.description, digest.labels, digest.features};
}

DataDigest digest_from(const json& text) {
  return {text[0], text[1], text[2]};
}

/// Of the texts that DataDigest leaves out.
std::string digest_of_kept(const Dataset& data) {
  Sha256 hash;
  hash.update(data.kept_offsets.view);
  hash.update(data.kept_text.view);
  return to_hex(hash.finish());
}

/// A file as it is written: a header, and arrays.
class Layout {
 public:
  explicit Layout(const DiskCache::Parts& parts) {
    json header;
    add(header["train"], parts.train, parts.train_digest);
    if (parts.test) {
      add(header["test"], *parts.test, parts.test_digest);
    }
    const auto packed = json::to_msgpack(header);
    header_.assign(packed.begin(), packed.end());
    first_array_ = next_page(header_begin + header_.size());
  }

  [[nodiscard]] std::size_t size() const { return first_array_ + arrays_size_; }

  /// False, with errno set, where that fails.
  [[nodiscard]] bool write(int file) const {
    const std::uint64_t length = header_.size();
    std::string head(magic, magic_size);
    head.append(reinterpret_cast<const char*>(&length), sizeof(length));
    head += digest_of_header(std::as_bytes(std::span(header_)));
    head += header_;
    head.resize(first_array_);
    constexpr std::byte zeros[page] = {};
    return write_all(file, std::as_bytes(std::span(head))) &&
           std::all_of(arrays_.begin(), arrays_.end(), [&](std::span<const std::byte> array) {
             const auto filling = std::span(zeros).first(next_page(array.size()) - array.size());
             return write_all(file, array) && write_all(file, filling);
           });
  }

 private:
  void add(json& entry, const Dataset& data, const DataDigest& digest) {
    entry["description"] = describe_dataset(data);
    entry["digest"] = to_json(digest);
    entry["kept"] = digest_of_kept(data);
    for (const auto array : arrays_of_dataset()) {
      const std::span<const std::byte> bytes = (data.*array).view;
      entry["arrays"].push_back({arrays_size_, bytes.size()});
      arrays_.push_back(bytes);
      arrays_size_ += next_page(bytes.size());
    }
  }

  std::vector<std::span<const std::byte>> arrays_;
  std::size_t arrays_size_ = 0;
  std::size_t first_array_ = 0;
  std::string header_;
};

/// A data set of the file at `path`, whose header says `entry`.
Dataset dataset_in(const std::string& path, const json& entry, std::size_t first_array) {
  Dataset data = dataset_of(entry["description"]);
  const auto& arrays = arrays_of_dataset();
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const std::size_t size = entry["arrays"][i][1];
    if (size > 0) {
      data.*arrays[i] =
          map_file(path, first_array + entry["arrays"][i][0].get<std::size_t>(), size);
    }
  }
  if (entry["kept"] != digest_of_kept(data)) {
    throw InputError(path + ": the kept columns are not what was written");
  }
  return data;
}

/// What the file holds, unchecked.
DiskCache::Parts parts_in(const std::string& path) {
  const Bytes file = map_file(path);
  std::uint64_t length = 0;
  if (file.size() < header_begin || std::memcmp(file.view.data(), magic, magic_size) != 0) {
    throw InputError(path + ": not a file of rows of this version");
  }
  std::memcpy(&length, file.view.data() + magic_size, sizeof(length));
  if (length > file.size() - header_begin) {
    throw InputError(path + ": truncated");
  }
  const std::size_t first_array = next_page(header_begin + length);
  const auto text = file.view.subspan(header_begin, length);
  const std::string digest = digest_of_header(text);
  if (std::memcmp(file.view.data() + magic_size + sizeof(length), digest.data(), digest_size) !=
      0) {
    throw InputError(path + ": the header is not what was written");
  }
  const json header = json::from_msgpack(text.begin(), text.end());
  DiskCache::Parts parts;
  parts.train = dataset_in(path, header.at("train"), first_array);
  parts.train_digest = digest_from(header.at("train").at("digest"));
  if (header.contains("test")) {
    parts.test = dataset_in(path, header.at("test"), first_array);
    parts.test_digest = digest_from(header.at("test").at("digest"));
  }
  return parts;
}

bool is_sound(const DiskCache::Parts& parts) {
  return digest_of(parts.train) == parts.train_digest &&
         (!parts.test || digest_of(*parts.test) == parts.test_digest);
}

void require_room(const std::string& folder, std::size_t bytes) {
  std::error_code error;
  const std::uintmax_t room = std::filesystem::space(folder, error).available;
  if (error) {
    throw FileError("use the folder", folder, error.value());
  }
  if (bytes > room) {
    throw InputError(fmt::format(
        "--scratch {}: the file of the rows needs {}, but there is room for {}; remove older files "
        "(*.rows) or name another folder",
        folder, size_text(bytes), size_text(room)));
  }
}

}  // namespace

DiskCache::DiskCache(std::string folder, const std::string& identity)
    : folder_(std::move(folder)), is_found_again_(!identity.empty()) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder_, error)) {
    throw InputError(
        fmt::format("--scratch {}: there is no such folder; make it on each node", folder_));
  }
  // What cannot be found again must not be another process' either.
  const std::string own =
      is_found_again_ ? identity
                      : fmt::format("{} {} {}", std::random_device()(), ::getpid(),
                                    std::chrono::system_clock::now().time_since_epoch().count());
  const std::string named = magic + own;  // another version has another file
  const std::string digest = to_hex(sha256(std::as_bytes(std::span(named))));
  path_ = folder_ + "/" + digest.substr(0, name_size) + rows_mark;
}

std::optional<DiskCache::Parts> DiskCache::find(Damaged damaged) {
  struct stat status {};
  if (!is_found_again_ || ::lstat(path_.c_str(), &status) != 0) {
    return std::nullopt;
  }
  const bool others_write = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || others_write) {
    throw InputError(path_ +
                     ": not a file that this user alone can write; remove it, or give --scratch a "
                     "folder that nobody else writes to");
  }
  std::string damage = path_ + ": the rows are not what was written";
  try {
    Parts parts = parts_in(path_);
    if (is_sound(parts)) {
      return parts;
    }
  } catch (const std::exception& error) {
    damage = error.what();
  }
  if (damaged == Damaged::told) {
    is_damaged_ = true;
    complain("dnn_train: warning: the file of rows is damaged and is made anew: " + damage);
  }
  return std::nullopt;
}

NameLock DiskCache::wait_for_lock() const {
  struct stat status {};
  (void)::stat(folder_.c_str(), &status);
  const std::string file = std::filesystem::path(path_).filename();
  const std::string name = fmt::format("dnn_train/{}/{}/{}/{}", ::geteuid(), status.st_dev,
                                       status.st_ino, file.substr(0, 32));
  if (std::optional<NameLock> taken = NameLock::try_take(name)) {
    return std::move(*taken);
  }
  say(fmt::format("note: waiting for another process that writes {}", path_));
  return NameLock::take(name);
}

/// The temporary names that killed jobs have left, of this file and of others.
void DiskCache::remove_leftovers() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (is_leftover(name)) {
      remove_if_left(entry.path().string());
    }
  }
}

DiskCache::Parts DiskCache::write(Parts parts) const {
  parts.train_digest = digest_of(parts.train);
  if (parts.test) {
    parts.test_digest = digest_of(*parts.test);
  }
  const Layout layout(parts);
  require_room(folder_, layout.size());
  NamelessFile file(folder_, path_, leftover_mark,
                    is_damaged_ ? NamelessFile::Existing::replaced : NamelessFile::Existing::kept);
  if (!file.is_open() || ::fchmod(file.descriptor(), S_IRUSR | S_IWUSR) != 0 ||
      !layout.write(file.descriptor()) ||
      (::fsync(file.descriptor()) != 0 && !means_unsupported(errno)) || !file.give_name(path_)) {
    throw FileError("write the file of the rows", path_, errno);
  }
  return parts_in(path_);
}

}  // namespace dnn
