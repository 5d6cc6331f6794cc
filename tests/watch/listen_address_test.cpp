#include "dnn/watch/listen_address.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

TEST(ListenAddress, OfThisMachineAloneIsForwarded) {
  EXPECT_EQ(listen_address("127.0.0.1").url_host, "127.0.0.1");
  EXPECT_EQ(listen_address("127.0.0.1").forwarding(5), "5:127.0.0.1:5");
  EXPECT_EQ(listen_address("localhost").forwarding(5), "5:127.0.0.1:5");
  // ssh itself listens on 127.0.0.1 unless it is told the address.
  EXPECT_EQ(listen_address("127.0.0.2").url_host, "127.0.0.2");
  EXPECT_EQ(listen_address("127.0.0.2").forwarding(5), "127.0.0.2:5:127.0.0.2:5");
  EXPECT_EQ(listen_address("::1").numeric, "::1");
  EXPECT_EQ(listen_address("::1").url_host, "[::1]");
  EXPECT_EQ(listen_address("::1").forwarding(5), "'5:[::1]:5'");
}

TEST(ListenAddress, ThatOtherMachinesReachIsNot) {
  EXPECT_EQ(listen_address("192.0.2.1").url_host, "192.0.2.1");
  EXPECT_EQ(listen_address("192.0.2.1").forwarding(5), "");
  EXPECT_EQ(listen_address("2001:db8::1").url_host, "[2001:db8::1]");
  EXPECT_EQ(listen_address("2001:db8::1").forwarding(5), "");
}

TEST(ListenAddress, EveryAddressIsCalledByTheMachinesName) {
  std::string host(256, '\0');
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  host.resize(host.find('\0'));
  for (const char* every : {"0.0.0.0", "0", "::"}) {
    EXPECT_EQ(listen_address(every).url_host, host) << every;
    EXPECT_EQ(listen_address(every).forwarding(5), "") << every;
  }
}

TEST(ListenAddress, OfNoNameIsRefused) {
  test::expect_error<InputError>([] { (void)listen_address("no such name"); },
                                 {"cannot listen on no such name", "--listen"});
}

}  // namespace
}  // namespace dnn
