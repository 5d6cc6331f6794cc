#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <typeinfo>

namespace dnn::test {

/// Expects `work` to throw an Error whose message holds each of `parts`.
template <class Error, class Work>
void expect_error(Work&& work, std::initializer_list<const char*> parts) {
  try {
    work();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    for (const char* part : parts) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << "'" << part << "' is not in: " << error.what();
    }
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error (" << typeid(error).name() << "): " << error.what();
  }
}

}  // namespace dnn::test
