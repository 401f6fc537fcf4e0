"""An HTTP proxy that misbehaves on request: what stands between the server and its S3 in fault tests.

Every connection carries one exchange. A fault is chosen for all paths or for those
that match a pattern, and may be changed at any time.
"""

import asyncio
import re
import threading
from dataclasses import dataclass, field

FAULTS = ("none", "refuse", "hang", "cut", "slow", "wrong", "status", "reset")


@dataclass
class Fault:
    kind: str = "none"
    pattern: str = ""
    status: int = 503
    # After how many bytes of a body it is cut, or what a slow one passes a second.
    n_bytes: int = 1000
    # How many exchanges suffer before all is well again; None for ever.
    times: int | None = None


@dataclass
class Exchange:
    method: str
    path: str
    headers: dict = field(repr=False, default_factory=dict)
    n_bytes: int = 0
    fault: str = "none"


class FaultProxy:
    """Runs in a thread of its own: `FaultProxy(port)` stands before 127.0.0.1:port."""

    def __init__(self, upstream_port):
        self.upstream_port = upstream_port
        self.fault = Fault()
        self.exchanges = []
        self.port = 0
        self._server = None
        self._loop = asyncio.new_event_loop()
        self._open = set()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._call(self._listen())

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def set(self, kind="none", **more):
        """Changes the fault, and breaks exchanges that are under way under the old one."""
        assert kind in FAULTS
        self._call(self._change(Fault(kind, **more)))

    def clear(self):
        self.set("none")

    def close(self):
        self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _listen(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self):
        self._server.close()
        for task in list(self._open):
            task.cancel()

    async def _change(self, fault):
        was_refusing = self.fault.kind == "refuse"
        self.fault = fault
        for task in list(self._open):
            task.cancel()
        if fault.kind == "refuse" and not was_refusing:
            self._server.close()
        elif was_refusing and fault.kind != "refuse":
            await self._listen()

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._open.add(task)
        try:
            await self._exchange(reader, writer)
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort() if writer.is_closing() else writer.close()

    async def _exchange(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines if line)}
        exchange = Exchange(method, path, headers)
        self.exchanges.append(exchange)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        fault = self._fault_for(path)
        exchange.fault = fault.kind
        if fault.kind == "hang":
            await asyncio.sleep(3600)
        if fault.kind == "reset":
            writer.transport.abort()
            return
        if fault.kind == "status":
            text = f"<Error><Code>Fault</Code><Message>status {fault.status}</Message></Error>".encode()
            answer = f"HTTP/1.1 {fault.status} Fault\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
            writer.write(answer.encode() + text)
            await writer.drain()
            return
        await self._forward(head, body, writer, fault, exchange)

    def _fault_for(self, path):
        fault = self.fault
        if fault.kind == "none" or not re.search(fault.pattern, path) or fault.times == 0:
            return Fault()
        if fault.times is not None:
            fault.times -= 1
        return fault

    async def _forward(self, head, body, writer, fault, exchange):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        try:
            # One exchange a connection, so that an answer ends where the connection does.
            head = re.sub(rb"(?im)^connection:.*\r\n", b"", head[:-2]) + b"Connection: close\r\n\r\n"
            up_writer.write(head + body)
            await up_writer.drain()
            answer = await up_reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            while chunk := await up_reader.read(16_384):
                if fault.kind == "cut" and exchange.n_bytes + len(chunk) > fault.n_bytes:
                    writer.write(chunk[: fault.n_bytes - exchange.n_bytes])
                    await writer.drain()
                    return
                if fault.kind == "slow":
                    await asyncio.sleep(len(chunk) / fault.n_bytes)
                if fault.kind == "wrong":
                    chunk = bytes(byte ^ 0x5A for byte in chunk)
                exchange.n_bytes += len(chunk)
                writer.write(chunk)
                await writer.drain()
        finally:
            up_writer.close()
