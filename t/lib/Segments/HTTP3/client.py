# The process behind Segments::HTTP3: connections of aioquic.
#
#     python3 client.py control
#
# "control" is a unix socket that it connects to.  There it is sent one JSON
# object a line, each with the number "c" of a connection:
#
#     {"open": [address, port]}        perhaps with a first request
#     {"fields": [[name, value], ...], "body": text, "end": true}
#                                      a request
#     {"reset": stream}                gives up sending and the answer
#     {"stop": stream}                 gives up the answer only
#     {"close": true}                  closes the connection
#     {"vanish": true}                 says no more to the server
#
# and is told {"opened": true} of each that is open; {"stream": id} of each
# request that was sent, and {"done": true} of what else was done; then of each
# answer that ends, {"answer": stream, "fields": ..., "body": text, "rst": error
# code or null}; and {"closed": true} at last.  Texts are bytes, one a
# character.

import asyncio
import json
import ssl
import sys

from aioquic.asyncio import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamReset


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.answers = {}
        self.tell = None
        self.vanished = False

    def quic_event_received(self, event):
        if isinstance(event, StreamReset):
            self.end(event.stream_id, event.error_code)

        for part in self.http.handle_event(event):
            answer = self.answers.get(getattr(part, "stream_id", None))

            if answer is None:
                continue

            if isinstance(part, HeadersReceived):
                answer["fields"] += [[name.decode("latin1"),
                                      value.decode("latin1")]
                                     for name, value in part.headers]

            elif isinstance(part, DataReceived):
                answer["body"] += part.data.decode("latin1")

            if part.stream_ended:
                self.end(part.stream_id, None)

    def end(self, stream, code):
        answer = self.answers.pop(stream, None)

        if answer is not None:
            self.tell({"answer": stream, "rst": code, **answer})

    def transmit(self):
        if not self.vanished:
            super().transmit()

    def request(self, command):
        stream = self._quic.get_next_available_stream_id()
        body = command.get("body")
        end = command.get("end", True)

        self.answers[stream] = {"fields": [], "body": ""}
        self.http.send_headers(stream, [(name.encode("latin1"),
                                         value.encode("latin1"))
                                        for name, value in command["fields"]],
                               end_stream=end and body is None)

        if body is not None:
            self.http.send_data(stream, body.encode("latin1"), end)

        return {"stream": stream}

    def obey(self, command):
        told = {"done": True}

        if "fields" in command:
            told = self.request(command)

        elif "reset" in command:
            self.give_up(self._quic.reset_stream, command["reset"])
            self.give_up(self._quic.stop_stream, command["reset"])

        elif "stop" in command:
            self.give_up(self._quic.stop_stream, command["stop"])

        elif "close" in command:
            self._quic.close(error_code=ErrorCode.H3_NO_ERROR)

        elif "vanish" in command:
            self.vanished = True

        self.transmit()
        self.tell(told)

    def give_up(self, how, stream):
        try:
            how(stream, ErrorCode.H3_REQUEST_CANCELLED)

        except ValueError:
            pass                        # it has ended meanwhile


class Clients:
    def __init__(self, writer):
        self.writer = writer
        self.clients = {}
        self.tasks = {}
        self.configuration = QuicConfiguration(is_client=True,
                                               alpn_protocols=H3_ALPN,
                                               server_name="localhost",
                                               verify_mode=ssl.CERT_NONE,
                                               idle_timeout=600)

    def tell(self, number, what):
        self.writer.write(json.dumps({"c": number, **what}).encode() + b"\n")

    def obey(self, command):
        number = command["c"]

        if "open" in command:
            self.tasks[number] = asyncio.create_task(self.run(number, command))

        elif number in self.clients:
            self.clients[number].obey(command)

        elif "close" in command and number in self.tasks:
            self.tasks[number].cancel()

    async def run(self, number, command):
        address, port = command["open"]

        try:
            async with connect(address, port, create_protocol=Client,
                               configuration=self.configuration) as client:
                client.tell = lambda what: self.tell(number, what)
                client.tell({"opened": True})
                self.clients[number] = client

                if "fields" in command:
                    client.obey(command)

                await client.wait_closed()

        except (asyncio.CancelledError, ConnectionError):
            pass

        finally:
            self.clients.pop(number, None)
            self.tasks.pop(number, None)
            self.tell(number, {"closed": True})


async def main(control):
    reader, writer = await asyncio.open_unix_connection(control, limit=1 << 24)
    clients = Clients(writer)

    while line := await reader.readline():
        clients.obey(json.loads(line))

    # without a word to anybody

    for client in clients.clients.values():
        client.vanished = True


asyncio.run(main(*sys.argv[1:]))
