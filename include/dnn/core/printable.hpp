#pragma once

// Text from data as terminals, messages and logs may show it.

#include <cstddef>
#include <string>
#include <string_view>

namespace dnn {

/// `text` without what a terminal would obey: control characters (but for line ends and tabs),
/// characters that change the direction of writing, and bytes that are no UTF-8 are shown as
/// "\r", "\x1b" or "\u202e". Names from data may hold any of them.
[[nodiscard]] std::string printable(std::string_view text);

/// The same on one line, line ends and tabs as "\n" and "\t": the name of a column, category, class
/// or file where others stand beside it.
[[nodiscard]] std::string printable_name(std::string_view name);

/// The first bytes of `text`, at most `most`, that end where a character of UTF-8 does.
[[nodiscard]] std::string_view beginning_of(std::string_view text, std::size_t most);

}  // namespace dnn
