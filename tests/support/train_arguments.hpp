#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/options/options.hpp"
#include "support/expect_error.hpp"

namespace dnn::test {

/// What dnn_train makes of its arguments.
inline Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "dnn_train");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

/// Expects dnn_train to refuse arguments with a message that holds each of `parts`.
inline void expect_refusal(const std::vector<const char*>& arguments,
                           std::initializer_list<const char*> parts) {
  expect_error<InputError>([&] { (void)parse(arguments); }, parts);
}

}  // namespace dnn::test
