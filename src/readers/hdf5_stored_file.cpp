#include "dnn/readers/hdf5_stored_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/readers/array_names.hpp"
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

/// A link to a dataset, and to which.
struct DatasetLink {
  std::string path;
  haddr_t address = HADDR_UNDEF;  ///< of the dataset; undefined: nobody has followed the link
};

/// The links that a file's groups hold.
struct LinkList {
  unsigned long file = 0;  ///< the library's number of it
  std::vector<DatasetLink> links;
};

/// Collects the links to datasets; `client` is a LinkList.
herr_t collect_link(hid_t root, const char* name, const H5L_info_t* link, void* client) {
  auto& list = *static_cast<LinkList*>(client);
  H5O_info_t object{};
  const bool is_external = link->type == H5L_TYPE_EXTERNAL;
  if (!is_external && H5Oget_info_by_name2(root, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0) {
    if (link->type == H5L_TYPE_HARD) {
      return -1;
    }
    H5Eclear2(H5E_DEFAULT);
    return 0;  // a soft link that leads nowhere
  }
  if (is_external || object.type == H5O_TYPE_DATASET) {
    const bool is_known = !is_external && object.fileno == list.file;
    try {
      list.links.push_back({std::string("/") + name, is_known ? object.addr : HADDR_UNDEF});
    } catch (const std::exception&) {  // the caller is written in C
      return -1;
    }
  }
  return list.links.size() == most_listed ? 1 : 0;
}

/// The library's number of the file that an object lies in.
unsigned long file_number(hid_t object, const std::string& where) {
  H5O_info_t info{};
  if (H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0) {
    fail_in_hdf5(where, "corrupt");
  }
  return info.fileno;
}

/// The paths of links, without those that say of a dataset what another link has said already.
std::vector<std::string> without_repeated(std::vector<DatasetLink> links) {
  std::sort(links.begin(), links.end(),
            [](const DatasetLink& a, const DatasetLink& b) { return a.path < b.path; });
  std::vector<std::string> paths;
  std::set<std::pair<haddr_t, std::string>> seen;
  for (const DatasetLink& link : links) {
    if (link.address == HADDR_UNDEF ||
        seen.emplace(link.address, plain_array_name(link.path)).second) {
      paths.push_back(link.path);
    }
  }
  return paths;
}

}  // namespace

StoredHdf5File::StoredHdf5File(const Bytes& contents, std::string origin)
    : origin_(std::move(origin)),
      is_mapped_(is_whole_file(contents)),
      file_(open_file(contents, origin_)) {}

std::vector<std::string> StoredHdf5File::datasets() const {
  LinkList list{.file = file_number(file_.id(), origin_), .links = {}};
  if (H5Lvisit(file_.id(), H5_INDEX_NAME, H5_ITER_INC, collect_link, &list) < 0) {
    fail_in_hdf5(origin_, "its groups cannot be listed (truncated or corrupt)");
  }
  return without_repeated(std::move(list.links));
}

std::unique_ptr<Hdf5Dataset> StoredHdf5File::open(const std::string& path) const {
  const std::string absolute = path.starts_with('/') ? path : "/" + path;
  const std::string place = hdf5_place(origin_, absolute);
  Hdf5Handle dataset(H5Dopen2(file_.id(), absolute.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.is_open()) {
    const std::string reason = hdf5_reason();
    const std::vector<std::string> there = datasets();
    if (std::find(there.begin(), there.end(), absolute) == there.end()) {
      return nullptr;
    }
    throw InputError(
        fmt::format("{}: corrupt, or a link to another file that does not lead to a dataset: {}",
                    place, reason));
  }
  if (file_number(dataset.id(), place) != file_number(file_.id(), place)) {
    throw InputError(place +
                     ": its elements are in another file (the path is an external link); name "
                     "that file, or copy the dataset into this one with h5copy -f ext");
  }
  return std::make_unique<StoredHdf5Dataset>(std::move(dataset), place, is_mapped_);
}

}  // namespace dnn
