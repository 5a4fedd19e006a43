"""An echo server on asyncio or uvloop, with streams or with a protocol."""
import asyncio
import sys


async def echo(reader, writer):
    try:
        while data := await reader.read(64 << 10):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main(style):
    if style == "streams":
        server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=65535)
    else:
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=65535)
    print("listening on %s:%d" % server.sockets[0].getsockname(), flush=True)
    await server.serve_forever()


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main(sys.argv[2]))
