#include "dnn/files/contents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "dnn/core/error.hpp"
#include "dnn/files/archive.hpp"
#include "dnn/files/gzip.hpp"
#include "dnn/files/stream.hpp"

namespace dnn {

namespace {

/// Compressed data in compressed data, this often: more of it is made to waste time.
constexpr int most_layers = 3;

Bytes decompressed(Bytes contents, const std::string& origin) {
  for (int layer = 0;; ++layer) {
    const bool gzip = looks_like_gzip(contents.view);
    if (!gzip && compression_of(contents.view).empty()) {
      return contents;
    }
    if (layer == most_layers) {
      throw InputError(
          fmt::format("{}: compressed more than {} times; decompress it", origin, most_layers));
    }
    contents = gzip ? inflate_gzip(contents.view, origin) : decompress(contents, origin);
  }
}

/// What is to be taken off contents that begin so; empty: nothing.
std::string_view packed_format_of(std::span<const std::byte> contents) {
  const std::string_view compression =
      looks_like_gzip(contents) ? std::string_view("gzip") : compression_of(contents);
  return compression.empty() ? archive_format_of(contents) : compression;
}

}  // namespace

Bytes open_contents(const std::string& path) {
  return decompressed(is_stream(path) ? read_stream(path) : map_file(path), name_of(path));
}

Bytes unpack_file(const Bytes& archive, const std::string& origin, const std::string& wanted) {
  std::string name = wanted;
  if (name.empty()) {
    const std::vector<std::string> names = member_names(archive, origin);
    if (names.empty()) {
      throw InputError(origin + ": the archive holds no files");
    }
    if (names.size() > 1) {
      throw InputError(fmt::format(
          "{}: the archive holds {} files: {}. Name the one to read, as in {}:{}, or unpack it",
          origin, names.size(), list_of(names), origin, names.front().substr(0, 100)));
    }
    name = names.front();
  }
  Bytes contents = decompressed(read_member(archive, name, origin), origin);
  if (contents.size() == 0) {
    throw InputError(fmt::format("{}: {} is empty", origin, in_quotes(name)));
  }
  if (looks_like_archive(contents.view)) {
    throw InputError(
        fmt::format("{}: {} is an archive inside the archive; unpack it", origin, in_quotes(name)));
  }
  return contents;
}

bool is_packed(const std::string& path) {
  if (is_stream(path)) {
    return false;
  }
  return !packed_format_of(map_file(path).view).empty();
}

Bytes read_contents(const std::string& path) {
  Bytes contents = open_contents(path);
  return looks_like_archive(contents.view) ? unpack_file(contents, name_of(path)) : contents;
}

std::vector<std::byte> first_bytes(const std::string& path, std::size_t count) {
  constexpr std::size_t enough = 512;  // to see what is compressed or an archive
  const auto first_of = [count](std::span<const std::byte> bytes) {
    const auto first = bytes.first(std::min(count, bytes.size()));
    return std::vector<std::byte>(first.begin(), first.end());
  };
  const Bytes file = map_file(path);
  const std::string_view format = packed_format_of(file.view);
  if (format.empty()) {
    return first_of(file.view);
  }
  const auto first = first_bytes_of(file, format, path, std::max(count, enough));
  return first_of(packed_format_of(first).empty() ? std::span<const std::byte>(first)
                                                  : read_contents(path).view);
}

std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t longest = 300;
  std::string list;
  for (const std::string& name : names) {
    if (list.size() > longest) {
      return list + ", ...";
    }
    list += (list.empty() ? "" : ", ") + in_quotes(name);
  }
  return list;
}

}  // namespace dnn
