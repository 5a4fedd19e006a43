// An echo server on Boost.Asio, a C++20 coroutine for each connection.
#include <array>
#include <cstdio>
#include <utility> // for Boost.Asio 1.74, which forgets it

#include <boost/asio.hpp>

namespace asio = boost::asio;
using asio::ip::tcp;

static asio::awaitable<void> echo(tcp::socket s) {
	std::array<char, 64 << 10> buf;
	try {
		for (;;) {
			std::size_t n = co_await s.async_read_some(asio::buffer(buf), asio::use_awaitable);
			co_await asio::async_write(s, asio::buffer(buf, n), asio::use_awaitable);
		}
	} catch (const boost::system::system_error &) { // the peer is gone
	}
}

static asio::awaitable<void> serve(tcp::acceptor ln) {
	for (;;) {
		tcp::socket s = co_await ln.async_accept(asio::use_awaitable);
		s.set_option(tcp::no_delay(true));
		asio::co_spawn(ln.get_executor(), echo(std::move(s)), asio::detached);
	}
}

int main() {
	asio::io_context loop(1); // one thread
	tcp::acceptor ln(loop, {asio::ip::address_v4::loopback(), 0});
	std::printf("listening on 127.0.0.1:%d\n", ln.local_endpoint().port());
	std::fflush(stdout);
	asio::co_spawn(loop, serve(std::move(ln)), asio::detached);
	loop.run();
}
