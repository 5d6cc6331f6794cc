#include "dnn/readers/hdf5_stored_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/readers/hdf5_lzf_filter.hpp"
#include "dnn/readers/hdf5_stored_dataset.hpp"

namespace dnn {

namespace {

/// The most datasets that are listed.
constexpr std::size_t most_listed = 10'000;

/// Whether the file lies at a path as it is.
bool is_whole_file(const Bytes& contents) {
  return !contents.mapped_path.empty() && contents.mapped_offset == 0;
}

Hdf5Handle open_file(const Bytes& contents, const std::string& origin) {
  silence_hdf5();
  register_lzf_filter();
  const Hdf5Handle access = opened({H5Pcreate(H5P_FILE_ACCESS), H5Pclose}, origin);
  // Reading needs no lock, and file systems of clusters often have none. A file that changes while
  // it is read is found by FileStamp.
  herr_t status = H5Pset_file_locking(access.id(), 0, 1);
  std::string path = contents.mapped_path;
  if (!is_whole_file(contents)) {
    require_memory(
        2 * contents.size(),
        origin + ": the HDF5 library's copy of the file (compress the datasets instead)");
    constexpr std::size_t growth = std::size_t{1} << 16;
    path = "image";  // its name means nothing
    // The library copies the bytes and does not write to them.
    status += H5Pset_fapl_core(access.id(), growth, 0) +
              H5Pset_file_image(access.id(), const_cast<std::byte*>(contents.view.data()),
                                contents.size());
  }
  if (status < 0) {
    fail_in_hdf5(origin, "the HDF5 library cannot open it");
  }
  Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (!file.is_open()) {
    fail_in_hdf5(origin, "truncated or corrupt HDF5 file");
  }
  return file;
}

/// Collects the paths of datasets; `client` is a std::vector<std::string>.
herr_t collect_dataset(hid_t /*file*/, const char* name, const H5O_info_t* info, void* client) {
  auto& paths = *static_cast<std::vector<std::string>*>(client);
  if (info->type == H5O_TYPE_DATASET) {
    try {
      paths.push_back(std::string("/") + name);
    } catch (const std::exception&) {  // the caller is written in C
      return -1;
    }
  }
  return paths.size() == most_listed ? 1 : 0;
}

}  // namespace

StoredHdf5File::StoredHdf5File(const Bytes& contents, std::string origin)
    : origin_(std::move(origin)),
      is_mapped_(is_whole_file(contents)),
      file_(open_file(contents, origin_)) {}

std::vector<std::string> StoredHdf5File::datasets() const {
  std::vector<std::string> paths;
  if (H5Ovisit2(file_.id(), H5_INDEX_NAME, H5_ITER_INC, collect_dataset, &paths, H5O_INFO_BASIC) <
      0) {
    fail_in_hdf5(origin_, "its groups cannot be listed (truncated or corrupt)");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::unique_ptr<Hdf5Dataset> StoredHdf5File::open(const std::string& path) const {
  const std::string absolute = path.starts_with('/') ? path : "/" + path;
  Hdf5Handle dataset(H5Dopen2(file_.id(), absolute.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.is_open()) {
    const std::string reason = hdf5_reason();
    const std::vector<std::string> there = datasets();
    if (std::find(there.begin(), there.end(), absolute) == there.end()) {
      return nullptr;
    }
    throw InputError(fmt::format("{}:{}: corrupt: {}", origin_, absolute, reason));
  }
  return std::make_unique<StoredHdf5Dataset>(std::move(dataset), origin_ + ":" + absolute,
                                             is_mapped_);
}

}  // namespace dnn
