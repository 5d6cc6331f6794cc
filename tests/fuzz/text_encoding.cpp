// Text in any encoding.

#include "dnn/files/text_encoding.hpp"

#include <algorithm>
#include <string_view>

#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"

using namespace dnn;

namespace {

/// Whether `text` is UTF-8 by the table of the Unicode standard (3-7), byte by byte.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U;
    };
    const unsigned lead = byte(0);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const unsigned least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 ||
        (length > 1 && (byte(1) < least || byte(1) > most))) {
      return false;
    }
    for (std::size_t k = 2; k < length; ++k) {
      if (byte(k) < 0x80 || byte(k) > 0xbf) {
        return false;
      }
    }
    i += length;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string origin = "input.csv";
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Bytes contents{fuzz::input(data, size), nullptr, {}, 0};
  DecodedText decoded;
  const bool accepted = fuzz::accepts(origin, [&] {
    const fuzz::AllocationLimit limit(3 * size + 65536);
    decoded = decode_text(contents, origin);
  });
  const std::string_view text(reinterpret_cast<const char*>(decoded.text.view.data()),
                              decoded.text.size());
  const bool plain = is_utf8(input) && input.find('\0') == std::string_view::npos;
  fuzz::expect(!plain || accepted, "UTF-8 without NUL is text");
  if (accepted) {
    fuzz::expect(is_utf8(text), "the result is UTF-8");
    fuzz::expect(!text.starts_with("\xef\xbb\xbf"), "the result has no byte-order mark");
    fuzz::expect(text.find('\0') == std::string_view::npos, "the result has no NUL");
    const bool shared = input.ends_with(text) && (text.empty() || text.end() == input.end());
    fuzz::expect(!plain || shared, "UTF-8 is neither copied nor changed");
    fuzz::expect(!plain || decoded.note.empty(), "UTF-8 needs no note");
    fuzz::expect(shared || decoded.note.starts_with(origin), "a note names the input");
    const bool ascii = std::none_of(input.begin(), input.end(), [](char c) { return c < 0; });
    fuzz::expect(!plain || !ascii || text.size() == size, "ASCII is the whole input");
  }
  return 0;
}
