#pragma once

// h5py's compression "lzf" (filter 32000), which the HDF5 library does not bring.

#include <cstddef>
#include <optional>
#include <span>

namespace dnn {

/// The number by which the HDF5 library knows it.
constexpr int lzf_filter = 32000;

/// Which of its values in a file is the bytes of an unpacked chunk.
constexpr std::size_t lzf_chunk_value = 2;

/// Unpacks LZF data into `to`; returns how many bytes they are. Nothing where the data are damaged
/// or do not fit.
///
/// A byte c below 32 is followed by c + 1 bytes as they are. Any other begins a repetition: its
/// upper three bits and, if these are 7, the next byte too are the length less 2; its lower five
/// bits and the byte after that are how many bytes back it begins, less 1.
[[nodiscard]] std::optional<std::size_t> unpack_lzf(std::span<const std::byte> from,
                                                    std::span<std::byte> to);

/// Lets the HDF5 library read datasets with this filter. A chunk that does not unpack to as many
/// bytes as its value says is an error; whether that value is true, the filter cannot know.
void register_lzf_filter();

}  // namespace dnn
