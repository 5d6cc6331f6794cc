#pragma once

// What the text of one cell of a table says: nothing or a number.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace dnn {

/// The words that stand for a missing value where --missing names no others, separated by commas.
inline constexpr const char* usual_missing_words =
    "NA,N/A,n/a,NaN,nan,NAN,null,NULL,Null,None,<NA>,#N/A,?,-,.";

/// The words of a list, without blanks around them.
[[nodiscard]] std::vector<std::string> split_words(std::string_view list, char separator = ',');

/// The text with small letters (ASCII) for large ones.
[[nodiscard]] std::string in_lower_case(std::string text);

/// Words that stand for a missing value; an empty cell always does.
class MissingWords {
 public:
  explicit MissingWords(const std::vector<std::string>& words);

  [[nodiscard]] bool contains(std::string_view text) const {
    return text.empty() || (text.size() <= longest_ && words_.contains(std::string(text)));
  }
  /// Whether a number was given as a word, like -9.
  [[nodiscard]] bool contains(double number) const {
    return !numbers_.empty() &&
           std::find(numbers_.begin(), numbers_.end(), number) != numbers_.end();
  }

 private:
  std::unordered_set<std::string> words_;
  std::vector<double> numbers_;
  std::size_t longest_ = 0;
};

/// The number that a cell spells as people write them, or nothing: "+1.5", "1,234,567", "12.5%"
/// (0.125), "$1,200", "1 234,5", "1.5D+03", a typographic minus. `decimal` is '.' or ','; the other
/// one, a blank or an apostrophe may separate groups of three digits. May be infinite.
[[nodiscard]] std::optional<double> parse_cell_number(std::string_view text, char decimal);

}  // namespace dnn
