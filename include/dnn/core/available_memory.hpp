#pragma once

// How much memory this process may still use, asked before a large allocation: a job that takes
// more than its control group allows is killed without a message.

#include <cstddef>
#include <string>

namespace dnn {

/// Bytes that this process may allocate and use now: the least of the memory that the system has
/// available (MemAvailable), the rest of each control group's limit (v1 and v2; memory that only
/// caches files counts as free) and the rest of the limit on the address space (ulimit -v). The
/// largest std::size_t where the system tells none of them. `root`: the folder that holds proc and
/// sys.
[[nodiscard]] std::size_t available_memory(const std::string& root = "/");

/// The same for all processes of this host in these memory_groups together: without the limit on
/// the address space, which each process has.
[[nodiscard]] std::size_t available_to_groups(const std::string& root = "/");

/// The same for all processes of this host: what its memory leaves.
[[nodiscard]] std::size_t available_to_host(const std::string& root = "/");

/// What tells the control groups of this process from others of the host.
[[nodiscard]] std::string memory_groups(const std::string& root = "/");

/// The most bytes of memory that this process has used at a time (its peak resident set). Memory
/// that several processes share counts in each of them.
[[nodiscard]] std::size_t peak_memory();

/// The bytes of memory that this process uses now (its resident set), counted likewise.
[[nodiscard]] std::size_t resident_memory();

/// Throws InputError unless `bytes` of memory are available; `purpose` completes "PURPOSE needs
/// 5.6 GiB of memory". Less than 1 MiB counts as available.
void require_memory(std::size_t bytes, const std::string& purpose);

/// `bytes` as messages show it: "11.2 MiB".
[[nodiscard]] std::string size_text(std::size_t bytes);

}  // namespace dnn
