#pragma once

#include <algorithm>
#include <string>

namespace dnn::test {

/// Calls `visit(damaged, what)` for each of the damages that a file of these contents can have:
/// every bit and every byte flipped; cut at every length; every range of 1, 2, 4, ... bytes left
/// out, repeated, or swapped with the one after it; the whole twice; a byte, or zeros, appended.
/// `what` tells them in failures. What leaves the contents as they are is no damage.
template <class Visitor>
void for_each_damage(const std::string& whole, Visitor&& visit) {
  const auto damage = [&](const std::string& damaged, const char* kind, std::size_t at,
                          std::size_t size) {
    if (damaged != whole) {
      visit(damaged, std::string(kind) + " at " + std::to_string(at) + ", " + std::to_string(size));
    }
  };
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ mask);
      damage(damaged, "flipped", i, static_cast<std::size_t>(mask));
    }
    damage(whole.substr(0, i), "cut", i, 0);
    for (std::size_t size = 1; size <= whole.size() - i; size *= 2) {
      damage(std::string(whole).erase(i, size), "left out", i, size);
      damage(std::string(whole).insert(i, whole, i, size), "repeated", i, size);
      if (const std::size_t next = i + size; next + size <= whole.size()) {
        std::string damaged = whole;
        std::swap_ranges(damaged.begin() + static_cast<std::ptrdiff_t>(i),
                         damaged.begin() + static_cast<std::ptrdiff_t>(next),
                         damaged.begin() + static_cast<std::ptrdiff_t>(next));
        damage(damaged, "swapped", i, size);
      }
    }
  }
  damage(whole + whole, "twice", 0, whole.size());
  damage(whole + '\0', "longer", whole.size(), 1);
  damage(whole + "x", "longer", whole.size(), 1);
  damage(whole + std::string(4096, '\0'), "longer", whole.size(), 4096);
}

}  // namespace dnn::test
