# The process behind Segments::HTTP3: one connection of aioquic.
#
#     python3 client.py address port control
#
# It connects, and then to the control, a unix socket of the test, which sends
# one JSON object a line and is answered with one:
#
#     {"fields": [[name, value], ...], "body": text, "end": true}
#                                      a request: {"stream": id}
#     {"reset": id}                    gives up sending and the answer: {}
#     {"stop": id}                     gives up the answer only: {}
#     {"close": true}                  closes the connection: {}
#     {"vanish": true}                 says no more to the server: {}
#
# Besides, of each answer that ends, {"answer": id, "fields": ..., "body": text,
# "rst": error code or null}; and {"closed": true} with the connection.  Texts
# are bytes, one a character.

import asyncio
import json
import ssl
import sys

from aioquic.asyncio import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.answers = {}
        self.tell = None
        self.vanished = False

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            self.tell({"closed": True})

        elif isinstance(event, StreamReset):
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
        told = {}

        if "fields" in command:
            told = self.request(command)

        elif "reset" in command:
            self._quic.reset_stream(command["reset"],
                                    ErrorCode.H3_REQUEST_CANCELLED)
            self._quic.stop_stream(command["reset"],
                                   ErrorCode.H3_REQUEST_CANCELLED)

        elif "stop" in command:
            self._quic.stop_stream(command["stop"],
                                   ErrorCode.H3_REQUEST_CANCELLED)

        elif "close" in command:
            self._quic.close(error_code=ErrorCode.H3_NO_ERROR)

        elif "vanish" in command:
            self.vanished = True

        self.transmit()

        return told


async def main(address, port, control):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN,
                                      server_name="localhost",
                                      verify_mode=ssl.CERT_NONE,
                                      idle_timeout=600)

    async with connect(address, int(port), configuration=configuration,
                       create_protocol=Client) as client:
        reader, writer = await asyncio.open_unix_connection(control,
                                                            limit=1 << 24)

        def tell(what):
            writer.write(json.dumps(what).encode() + b"\n")

        client.tell = tell

        while line := await reader.readline():
            tell(client.obey(json.loads(line)))


asyncio.run(main(*sys.argv[1:]))
