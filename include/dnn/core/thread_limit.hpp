#pragma once

// Threads where the system limits how many there may be.

#include <functional>
#include <thread>

namespace dnn {

/// Starts a thread that runs `work`. Throws InputError, which says what to do, where the system
/// starts no more threads.
[[nodiscard]] std::thread start_thread(std::function<void()> work);

/// Throws InputError unless the system lets this process start the threads that a computation with
/// `threads` of them needs, and a few more. OpenMP itself would end the process without a word of
/// which option or limit to change.
void require_threads(int threads);

}  // namespace dnn
